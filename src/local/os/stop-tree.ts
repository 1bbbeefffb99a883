import { childrenOf } from './process-end.js';

/**
 * Stops a process and everything below it, parents first, so that nobody is told of a stopped child. Goes round
 * until nothing new appears: a process may fork until it is stopped itself.
 */
export function stopTree(root: number): void {
  const stopped = new Set<number>();
  for (;;) {
    const fresh = treeOf(root).filter((pid) => !stopped.has(pid));
    if (fresh.length === 0) return;
    for (const pid of fresh) {
      stopped.add(pid);
      signal(pid, 'SIGSTOP');
    }
  }
}

/** Lets them go on, children first: when a parent looks, its children run. */
export function continueTree(root: number): void {
  for (const pid of treeOf(root).reverse()) signal(pid, 'SIGCONT');
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
