import type { CallOptions } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';

/**
 * What tells a process from another one that is given its id later. A tag of our own is certain; through a broker,
 * which has tags of its own and hides them, it is what was started.
 */
export interface ProcessIdentity {
  tag?: string | undefined;
  cmd: string;
  args: readonly string[];
  envs: Readonly<Record<string, string>>;
  cwd?: string | undefined;
}

const tagPrefix = 'e2b-edge.process:';

/** A tag that no other process has. */
export function processTag(): string {
  return `${tagPrefix}${crypto.randomUUID()}`;
}

/** Whether a tag is one of ours, which means nothing to anybody else. */
export function isProcessTag(tag: string | undefined): boolean {
  return tag?.startsWith(tagPrefix) ?? false;
}

/** Looks at the process that has the id now; undefined where none has. */
export async function identifyProcess(
  connection: Connection,
  pid: number,
  options: CallOptions,
): Promise<ProcessIdentity | undefined> {
  const { processes } = await connection.call(options, 'commands.list', (rpc, signal) =>
    rpc.process.list({}, { signal }),
  );
  const found = processes.find((process) => process.pid === pid);
  if (!found) return undefined;
  const { cmd = '', args = [], envs = {}, cwd } = found.config ?? {};
  return { tag: found.tag, cmd, args, envs, cwd };
}

export function isSameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.tag !== undefined && b.tag !== undefined ? a.tag === b.tag : configOf(a) === configOf(b);
}

function configOf({ cmd, args, envs, cwd = '' }: ProcessIdentity): string {
  return JSON.stringify([cmd, args, Object.entries(envs).sort(), cwd]);
}
