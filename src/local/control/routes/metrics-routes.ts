import { ApiError, replyJson } from '../../http/replies.js';
import type { Sample } from '../metrics.js';
import { parseQueryNumber } from '../requests/fields.js';
import { type Action, findSandbox, type Route, sandboxIdOf } from './route.js';

const mostSandboxes = 100;

const ofOne: Action = async (call) => {
  const start = parseQueryNumber(call.query, 'start', 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const end = parseQueryNumber(call.query, 'end', 0, Number.MAX_SAFE_INTEGER) ?? Number.MAX_SAFE_INTEGER;
  const samples = await call.metrics.of(findSandbox(call));
  const asked = samples.filter(({ time }) => secondsOf(time) >= start && secondsOf(time) <= end);
  replyJson(call.response, 200, asked.map(metricOf));
};

/** The latest of each; what is not there, or was paused since before it could be measured, is left out. */
const ofMany: Action = async ({ response, query, sandboxes, metrics }) => {
  const ids = query
    .getAll('sandbox_ids')
    .flatMap((list) => list.split(','))
    .filter(Boolean);
  if (ids.length === 0) throw new ApiError(400, 'sandbox_ids is required');
  if (ids.length > mostSandboxes) {
    throw new ApiError(400, `Too many sandboxes requested, maximum is ${mostSandboxes}`);
  }
  const found = await Promise.all(
    ids.map(async (id) => {
      const sandbox = sandboxes.find(sandboxIdOf(id));
      const latest = sandbox && (await metrics.of(sandbox)).at(-1);
      return sandbox && latest ? [[sandbox.id, metricOf(latest)] as const] : [];
    }),
  );
  replyJson(response, 200, { sandboxes: Object.fromEntries(found.flat()) });
};

function metricOf({ time, ...sample }: Sample): Record<string, unknown> {
  return {
    timestamp: new Date(time).toISOString(),
    timestampUnix: secondsOf(time),
    ...sample,
    // The kernel's cache belongs to the host here, not to a sandbox.
    memCache: 0,
  };
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

export const metricsRoutes: readonly Route[] = [
  ['GET', /^\/sandboxes\/metrics$/, ofMany],
  ['GET', /^\/sandboxes\/([^/]+)\/metrics$/, ofOne],
];
