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

/** What a process of ours is: one that was asked for, the keeper of a durable one, or a program that helps with these. */
export type TagRole = 'process' | 'durable' | 'helper';

/** A tag that no other process has. */
export function processTag(role: TagRole = 'process', id: string = crypto.randomUUID()): string {
  return `e2b-edge.${role}:${id}`;
}

/** What a tag of ours says, which means nothing to anybody else; undefined for another's. */
export function readProcessTag(tag = ''): { role: TagRole; id: string } | undefined {
  const [, role, id] = /^e2b-edge\.(process|durable|helper):(.+)$/.exec(tag) ?? [];
  return role && id ? { role: role as TagRole, id } : undefined;
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
