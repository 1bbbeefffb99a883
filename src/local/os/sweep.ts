import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { allEnded } from './process-end.js';

/** Given to every process of a sandbox without a namespace, so that it can be found again. */
export const rootVariable = 'E2B_EDGE_ROOT';

/** A program that forks as fast as it is killed does not keep the server busy for ever. */
const mostRounds = 20;
const roundLimitMs = 500;

/**
 * Kills what a sandbox without a namespace has left running, whoever has inherited its variable, and waits for
 * their end. Linux only; elsewhere the process groups that envd itself has ended have to do.
 */
export async function killLeftovers(root: string): Promise<void> {
  await killAll(() => [...processesOf(root)]);
}

/** Kills what is found until nothing is, and waits for their end. */
export async function killAll(find: () => readonly number[]): Promise<void> {
  for (let round = 0; round < mostRounds; round++) {
    const left = find();
    if (left.length === 0) return;
    for (const pid of left) kill(pid);
    await allEnded(left, roundLimitMs);
  }
}

/**
 * The processes that have inherited the variable of this sandbox, the newest first: they may be gone soonest.
 * @param onMissed is told of each that was gone before it could be looked at, whosever it was.
 */
export function* processesOf(root: string, onMissed?: () => void): Iterable<number> {
  const mark = `${rootVariable}=${root}`;
  for (const pid of otherProcesses().reverse()) {
    if (listIn(pid, 'environ').includes(mark)) yield pid;
    else if (onMissed && !existsSync(`/proc/${pid}`)) onMissed();
  }
}

/** The same for every sandbox in a directory. */
export function processesBelow(directory: string): number[] {
  const mark = `${rootVariable}=${directory}/`;
  return otherProcesses().filter((pid) => listIn(pid, 'environ').some((entry) => entry.startsWith(mark)));
}

/** The bubblewraps that were started for a sandbox in a directory. */
export function launchersFor(directory: string): number[] {
  return otherProcesses().filter((pid) => {
    const [program = '', ...args] = listIn(pid, 'cmdline');
    return basename(program) === 'bwrap' && args.some((arg) => arg.startsWith(`${directory}/`));
  });
}

function otherProcesses(): number[] {
  try {
    const pids = readdirSync('/proc').map(Number);
    return pids.filter((pid) => Number.isInteger(pid) && pid > 1 && pid !== process.pid);
  } catch {
    return [];
  }
}

function listIn(pid: number, file: 'environ' | 'cmdline'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
  } catch {
    // Ended meanwhile, or another user's.
    return [];
  }
}

function kill(pid: number): void {
  // 0, -1 and 1 would mean groups, everyone and init.
  if (!Number.isInteger(pid) || pid <= 1) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended meanwhile.
  }
}
