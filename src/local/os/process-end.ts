import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 5;

/** The children that a process has now, whichever of its threads made them. Linux only; none elsewhere. */
export function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) =>
    (read(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
  );
}

/** Waits until none of the processes runs any more, but no longer than `limitMs`. */
export async function allEnded(pids: readonly number[], limitMs: number): Promise<void> {
  const until = performance.now() + limitMs;
  while (pids.some(isRunning) && performance.now() < until) await delay(pollMs);
}

/** Waits until each of the processes is stopped or has ended, but no longer than `limitMs`. */
export async function allAtRest(pids: readonly number[], limitMs: number): Promise<void> {
  const until = performance.now() + limitMs;
  while (!pids.every(isAtRest) && performance.now() < until) await delay(pollMs);
}

/** Whether the process is stopped or has ended. */
export function isAtRest(pid: number): boolean {
  return !isRunning(pid) || isStopped(pid);
}

/** Whether somebody has stopped the process, as Ctrl-Z does. */
export function isStopped(pid: number): boolean {
  // A debugger stops with the small letter.
  return stateOf(pid)?.toUpperCase() === 'T';
}

/** Whether the process has ended and only waits for its parent to be told. */
export function isZombie(pid: number): boolean {
  return /[ZX]/.test(stateOf(pid) ?? '');
}

// One that only waits to be reaped has ended, and so has the namespace that it was the first process of.
function isRunning(pid: number): boolean {
  return stateOf(pid) !== undefined && !isZombie(pid);
}

function stateOf(pid: number): string | undefined {
  return /^State:\s*(\w)/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
