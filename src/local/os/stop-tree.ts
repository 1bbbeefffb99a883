import { childrenOf, isStopped } from './process-end.js';

/** Finds the processes in question as they are now, parents before children. */
export type Finder = () => readonly number[];

/** A program that does nothing but fork is stopped long before. */
const mostRounds = 1000;

/**
 * Stops processes, parents first, so that nobody is told of a stopped child. Goes round until nothing new
 * appears: a process may fork until it is stopped itself. Returns those that ran before.
 */
export function stopAll(find: Finder): number[] {
  const seen = new Set<number>();
  const stopped: number[] = [];
  for (let round = 0; round < mostRounds; round++) {
    const fresh = find().filter((pid) => !seen.has(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) {
      seen.add(pid);
      // What was stopped by Ctrl-Z is to stay so.
      if (isStopped(pid)) continue;
      signal(pid, 'SIGSTOP');
      stopped.push(pid);
    }
  }
  return stopped;
}

/** Lets them go on, children first: when a parent looks, its children run. */
export function continueAll(stopped: readonly number[]): void {
  for (const pid of stopped.toReversed()) signal(pid, 'SIGCONT');
}

/** The process and everything below it, parents before children. Linux only; elsewhere just the process. */
export function treeOf(root: number): number[] {
  const pids = [root];
  for (let at = 0; at < pids.length; at++) pids.push(...childrenOf(pids[at]!));
  return pids;
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  // 0, -1 and 1 would mean groups, everyone and init.
  if (!Number.isInteger(pid) || pid <= 1) return;
  try {
    process.kill(pid, name);
  } catch {
    // Ended meanwhile.
  }
}
