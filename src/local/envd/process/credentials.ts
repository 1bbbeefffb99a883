import { existsSync } from 'node:fs';
import type { User } from '../users.js';

/** The ids that a program runs with. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

const setpriv = '/usr/bin/setpriv';

/** What programs of this user run with; `undefined` where envd cannot change it, or is that user itself. */
export function credentialsOf({ assumable, uid, gid, groups }: User): Credentials | undefined {
  if (!assumable) return undefined;
  return { uid, gid, groups };
}

/**
 * The command for these credentials, and the ids that are still to be set when it is started. Neither Node nor
 * node-pty can give a program supplementary groups, so util-linux's setpriv does it for users who have some;
 * without it they have their first group only.
 */
export function withGroups(
  credentials: Credentials | undefined,
  command: readonly string[],
): { command: readonly string[]; ids: { uid: number; gid: number } | undefined } {
  if (!credentials) return { command, ids: undefined };
  const { uid, gid, groups } = credentials;
  if (groups.length === 0 || !existsSync(setpriv)) return { command, ids: { uid, gid } };
  const change = [`--reuid=${uid}`, `--regid=${gid}`, `--groups=${groups.join(',')}`];
  return { command: [setpriv, ...change, '--', ...command], ids: undefined };
}
