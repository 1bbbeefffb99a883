import { readdir, readFile } from 'node:fs/promises';
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
  for (let round = 0; round < mostRounds; round++) {
    const left = await processesOf(root);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Ended meanwhile.
      }
    }
    await allEnded(left, roundLimitMs);
  }
}

async function processesOf(root: string): Promise<number[]> {
  const pids: number[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid) continue;
    if (await belongsTo(pid, root)) pids.push(pid);
  }
  return pids;
}

async function belongsTo(pid: number, root: string): Promise<boolean> {
  const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return environ.split('\0').includes(`${rootVariable}=${root}`);
}
