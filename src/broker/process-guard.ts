/**
 * Which processes a session may touch. envd lets whoever holds its token control any process, so the broker marks those
 * that it starts and looks at the mark before it lets anything through.
 *
 * The mark is of the subject and not of the session: a page that is loaded again has a new session and wants its
 * terminal back. It also says what kind of grant the process was started under, so that a session that may only run
 * exact commands cannot type into a shell that the same user had opened under a wider one. For the same reason the Linux
 * user is part of it: a page that may be `user` is kept out of the shells that another page of its user has as `root`.
 */

import { type ListResponse, Process } from '../wire/messages/process.js';
import { createBoundedCache } from './bounded-cache.js';
import type { Upstream } from './envd-upstream.js';
import type { FullGrant } from './grant.js';
import { processNotFound } from './refusals.js';
import { processOwner, type SessionClaims } from './session-token.js';

/** What a process was started under: a terminal, any command, or one of a list. */
export type ProcessKind = 'pty' | 'run' | 'exact';

export interface ProcessGuard {
  /** The kind of the subject's process, or undefined for one that is not theirs. */
  kindOf(upstream: Upstream, subject: string, pid: number): Promise<ProcessKind | undefined>;
  /** A sign of life of the subject's process: it still has its id. */
  alive(upstream: Upstream, subject: string, pid: number, kind: ProcessKind): void;
}

/**
 * A process id can be given to another process once its own has ended. envd has no handle that cannot, so what was
 * looked up counts for a moment only: long enough not to ask at each keystroke.
 */
const trustMs = 5_000;
const maxProcesses = 10_000;

export function createProcessGuard(): ProcessGuard {
  const kinds = createBoundedCache<ProcessKind>(trustMs, maxProcesses);
  const key = ({ sandboxId, user }: Upstream, subject: string, pid: number): string =>
    JSON.stringify([sandboxId, user ?? null, subject, pid]);

  return {
    async kindOf(upstream, subject, pid) {
      const id = key(upstream, subject, pid);
      const known = kinds.get(id);
      if (known) return known;
      const list = await upstream.call(Process.list, {});
      const found = list?.processes.find((process) => process.pid === pid);
      const kind = kindOfTag(found?.tag, await tagOf(subject, upstream.user));
      if (kind) kinds.set(id, kind);
      return kind;
    },
    alive: (upstream, subject, pid, kind) => kinds.set(key(upstream, subject, pid), kind),
  };
}

/** The beginning of all marks of a subject as a Linux user. */
export async function tagOf(subject: string, user: string | undefined): Promise<string> {
  const owner = new TextEncoder().encode(JSON.stringify([subject, user ?? null]));
  const digest = await crypto.subtle.digest('SHA-256', owner);
  const hex = Array.from(new Uint8Array(digest, 0, 16), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
  return `e2b-edge:${hex}`;
}

/** The mark of a process. */
export async function processTag(
  subject: string,
  user: string | undefined,
  kind: ProcessKind,
): Promise<string> {
  return `${await tagOf(subject, user)}:${kind}`;
}

/** Whether a session may type into, signal or resize a process of a kind. */
export function mayControl(grant: FullGrant, kind: ProcessKind): boolean {
  if (kind === 'pty') return grant.pty === 'write';
  return kind === 'run' ? grant.commands === 'run' : grant.commands !== 'none';
}

/** Whether a session may see what a process of a kind prints. */
export function mayWatch(grant: FullGrant, kind: ProcessKind): boolean {
  return kind === 'pty' ? grant.pty !== 'none' : mayControl(grant, kind);
}

/** Leaves in a list only what the session may know of, without the marks. */
export async function visibleProcesses(list: ListResponse, claims: SessionClaims): Promise<ListResponse> {
  const { g: grant } = claims;
  const mark = await tagOf(processOwner(claims), grant.user);
  const processes = list.processes.filter(({ tag }) => {
    const kind = kindOfTag(tag, mark);
    return kind !== undefined && mayWatch(grant, kind);
  });
  return { ...list, processes: processes.map(({ tag: _tag, ...process }) => process) };
}

/** @throws what envd says of a process that is not there: whether it is another's is not told. */
export function requireKind(kind: ProcessKind | undefined, pid: number): ProcessKind {
  if (kind === undefined) throw processNotFound(pid);
  return kind;
}

/** The kind that a mark of this subject says. */
export function kindOfTag(tag: string | undefined, mark: string): ProcessKind | undefined {
  if (!tag?.startsWith(`${mark}:`)) return undefined;
  const kind = tag.slice(mark.length + 1);
  return kind === 'pty' || kind === 'run' || kind === 'exact' ? kind : undefined;
}
