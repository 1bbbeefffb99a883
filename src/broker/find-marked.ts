import type { ControlApi } from '../control/api.js';
import type { ListedSandbox } from '../control/records.js';
import { askControlPlane } from './control-plane.js';
import { isMarked } from './sandbox-mark.js';

/** The sandboxes with a mark, running or paused, the oldest first. */
export async function findMarked(
  control: ControlApi,
  mark: Record<string, string>,
  signal?: AbortSignal,
): Promise<ListedSandbox[]> {
  const found: ListedSandbox[] = [];
  let nextToken: string | undefined;
  do {
    const query = { metadata: mark, state: ['running', 'paused'], order: 'asc', nextToken } as const;
    const page = await askControlPlane(() =>
      control.list({ ...query, state: [...query.state] }, signal && { signal }),
    );
    // A control plane that does not know the filter would list everybody's.
    found.push(...page.items.filter(({ metadata }) => isMarked(metadata, mark)));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return found.sort((a, b) => compare(a.startedAt, b.startedAt) || compare(a.sandboxID, b.sandboxID));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
