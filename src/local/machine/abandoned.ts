import { readlinkSync } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { removeTree } from '../os/remove-tree.js';
import { killAll, launchersFor, processesBelow } from '../os/sweep.js';
import { removeGroups } from './cgroups.js';

/** The file of a workspace that says which control groups belong to it. */
export const cgroupList = 'cgroups';

/** Begins the names of this machine's workspaces. Pids mean something in their own namespace only. */
export function namePrefix(): string {
  try {
    return `e2b-edge-ns${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]}-`;
  } catch {
    return 'e2b-edge-pid-';
  }
}

/** Removes what servers that were killed outright have left, this user's only. */
export async function removeAbandoned(): Promise<void> {
  const pattern = new RegExp(`^${namePrefix()}(\\d+)-`);
  for (const name of await readdir(tmpdir())) {
    const pid = Number(pattern.exec(name)?.[1] ?? Number.NaN);
    const path = join(tmpdir(), name);
    // Whoever cannot remove everything leaves it as it is.
    if (pid > 1 && !isAlive(pid) && (await isOwn(path))) await removeWorkspace(path).catch(() => {});
  }
}

async function isOwn(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isDirectory() === true && stats.uid === process.getuid?.();
}

async function removeWorkspace(path: string): Promise<void> {
  // Programs of sandboxes without a namespace outlive an envd that was killed as well.
  await killAll(() => processesBelow(path));
  // Theirs cannot, but for a bubblewrap that lost its server while it was about to start.
  await killAll(() => launchersFor(path));
  const list = await readFile(join(path, cgroupList), 'utf8').catch(() => '');
  // Only what bears the name of the workspace can be its own.
  await removeGroups(list.split('\n').filter((directory) => basename(directory) === basename(path)));
  await removeTree(path);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
