import { setImmediate } from 'node:timers/promises';
import { allAtRest, childrenOf, isAtRest, isStopped } from './process-end.js';

/**
 * Finds the processes in question as they are now, parents before children. Each is stopped before the next is looked for.
 * Says by `onMissed` that one may have got away, as it ended, perhaps after having made another.
 */
export type Finder = (onMissed: () => void) => Iterable<number>;

/** A program that does nothing but fork is stopped long before. */
const mostRounds = 1000;
/** One that lives for a moment only may be missed once, when it comes while others are looked at. */
const quietRounds = 3;
/** On a busy machine something ends all the time that has nothing to do with it. */
const mostMisses = 100;
/** One that is deep in the kernel (a slow disk) stops when it comes back. The others are not let run for so long. */
const stopLimitMs = 5_000;
const patienceMs = 50;

/**
 * Stops processes, parents first, so that nobody is told of a stopped child. Goes round until nothing new
 * appears: a process may fork until it is stopped itself. Resolves to those that ran before.
 */
export async function stopAll(find: Finder): Promise<number[]> {
  const seen = new Set<number>();
  const stopped: number[] = [];
  let quiet = 0;
  let misses = 0;
  for (let round = 0; round < mostRounds && quiet < quietRounds; round++) {
    const before = seen.size;
    let missed = false;
    const onMissed = (): void => {
      missed = true;
    };
    for (const pid of find(onMissed)) {
      if (seen.has(pid)) continue;
      seen.add(pid);
      // What was stopped by Ctrl-Z is to stay so.
      if (isStopped(pid)) continue;
      signal(pid, 'SIGSTOP');
      stopped.push(pid);
      // A parent that still waits for its child would be told that this has stopped.
      await stopsSoon(pid);
    }
    if (missed) misses++;
    quiet = seen.size > before || (missed && misses < mostMisses) ? 0 : quiet + 1;
  }
  await allAtRest(stopped, stopLimitMs);
  return stopped;
}

async function stopsSoon(pid: number): Promise<void> {
  const until = performance.now() + patienceMs;
  while (!isAtRest(pid) && performance.now() < until) await setImmediate();
}

/** Lets them go on, children first: when a parent looks, its children run. */
export function continueAll(stopped: readonly number[]): void {
  for (const pid of stopped.toReversed()) signal(pid, 'SIGCONT');
}

/** The process and everything below it, parents before children. Linux only; elsewhere just the process. */
export function* treeOf(root: number): Iterable<number> {
  const pids = [root];
  for (const pid of pids) {
    yield pid;
    pids.push(...childrenOf(pid));
  }
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
