/**
 * Which processes a session may touch. envd lets whoever holds its token control any process, so the broker marks those
 * that it starts and looks at the mark before it lets anything through.
 */

import { type ListResponse, Process } from '../wire/messages/process.js';
import { createBoundedCache } from './bounded-cache.js';
import type { Upstream } from './envd-upstream.js';
import { boundCommand } from './exact-command.js';
import type { FullGrant } from './grant.js';
import { exactKind, kindOfTag, type ProcessKind, tagOf } from './process-mark.js';
import { processNotFound } from './refusals.js';
import { processOwner, type SessionClaims } from './session-token.js';

export interface ProcessGuard {
  /** The kind of the owner's process, or undefined for one that is not theirs. */
  kindOf(upstream: Upstream, owner: string, pid: number): Promise<ProcessKind | undefined>;
  /**
   * The same, also of a process that ended and has left the list: envd tells how for half a minute more. It is looked
   * up each time.
   */
  lastKindOf(upstream: Upstream, owner: string, pid: number): Promise<ProcessKind | undefined>;
  /** A sign of life of the owner's process: it still has its id. */
  alive(upstream: Upstream, owner: string, pid: number, kind: ProcessKind): void;
  /** Leaves in a list only what the session may know of, without the marks. */
  visible(list: ListResponse, claims: SessionClaims): Promise<ListResponse>;
}

/** What a session wants of a process. */
export type ProcessUse = 'watch' | 'control' | 'type';

/**
 * A process id can be given to another process once its own has ended. envd has no handle that cannot, so what was
 * looked up counts for a moment only: long enough not to ask at each keystroke.
 */
const trustMs = 5_000;
/** For as long as a page may have been away from a process that it comes back to. */
const rememberMs = 3_600_000;
const maxProcesses = 10_000;
/** A mark never changes, and making one takes another thread, which a list would wait for. */
const markMs = 3_600_000;
const maxMarks = 1_000;

export function createProcessGuard(): ProcessGuard {
  const kinds = createBoundedCache<ProcessKind>(trustMs, maxProcesses);
  const remembered = createBoundedCache<ProcessKind>(rememberMs, maxProcesses);
  const marks = createBoundedCache<string>(markMs, maxMarks);
  const key = ({ sandboxId, user }: Upstream, owner: string, pid: number): string =>
    JSON.stringify([sandboxId, user ?? null, owner, pid]);

  function remember(id: string, kind: ProcessKind): void {
    kinds.set(id, kind);
    remembered.set(id, kind);
  }

  async function markOf(owner: string, user: string | undefined): Promise<string> {
    const id = JSON.stringify([owner, user ?? null]);
    const known = marks.get(id);
    if (known !== undefined) return known;
    const mark = await tagOf(owner, user);
    marks.set(id, mark);
    return mark;
  }

  async function lookUp(
    upstream: Upstream,
    owner: string,
    pid: number,
  ): Promise<{ isListed: boolean; kind: ProcessKind | undefined }> {
    const list = await upstream.call(Process.list, {});
    const found = list?.processes.find((process) => process.pid === pid);
    const kind = kindOfTag(found?.tag, await markOf(owner, upstream.user));
    const id = key(upstream, owner, pid);
    if (kind) remember(id, kind);
    else kinds.delete(id);
    return { isListed: found !== undefined, kind };
  }

  return {
    async kindOf(upstream, owner, pid) {
      return kinds.get(key(upstream, owner, pid)) ?? (await lookUp(upstream, owner, pid)).kind;
    },
    async lastKindOf(upstream, owner, pid) {
      const { isListed, kind } = await lookUp(upstream, owner, pid);
      // A process that has the id now counts by its own mark, whatever had it before.
      return isListed ? kind : remembered.get(key(upstream, owner, pid));
    },
    alive: (upstream, owner, pid, kind) => remember(key(upstream, owner, pid), kind),
    async visible(list, claims) {
      const mark = await markOf(processOwner(claims), claims.g.user);
      const processes: ListResponse['processes'] = [];
      for (const { tag, ...process } of list.processes) {
        const kind = kindOfTag(tag, mark);
        if (kind && (await mayUse(claims.g, kind, 'watch'))) processes.push(process);
      }
      return { ...list, processes };
    },
  };
}

/** Whether a session may do something with a process of a kind. A process of a list takes that very command. */
export async function mayUse(grant: FullGrant, kind: ProcessKind, use: ProcessUse): Promise<boolean> {
  if (kind === 'pty') return use === 'watch' ? grant.pty !== 'none' : grant.pty === 'write';
  if (grant.commands === 'run') return true;
  if (grant.commands === 'none') return false;
  for (const command of grant.commands.map(boundCommand)) {
    if ((await exactKind(command)) === kind) return use !== 'type' || command.stdin === true;
  }
  return false;
}

/** @throws what envd says of a process that is not there: whether it is another's is not told. */
export function requireKind(kind: ProcessKind | undefined, pid: number): ProcessKind {
  if (kind === undefined) throw processNotFound(pid);
  return kind;
}
