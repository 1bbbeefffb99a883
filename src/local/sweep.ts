import { readdir, readFile } from 'node:fs/promises';

/** Given to every process of a sandbox without a namespace, so that it can be found again. */
export const rootVariable = 'E2B_EDGE_ROOT';

/**
 * Kills what a sandbox without a namespace has left running: whoever has inherited its variable. Linux only;
 * elsewhere the process groups that envd itself has ended have to do.
 */
export async function killLeftovers(root: string): Promise<void> {
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid) continue;
    if (await belongsTo(pid, root)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Ended meanwhile.
      }
    }
  }
}

async function belongsTo(pid: number, root: string): Promise<boolean> {
  const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return environ.split('\0').includes(`${rootVariable}=${root}`);
}
