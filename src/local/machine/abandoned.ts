import { readdirSync, readlinkSync } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isZombie } from '../os/process-end.js';
import { removeTree } from '../os/remove-tree.js';
import { killAll, launchersFor, processesBelow } from '../os/sweep.js';
import { removeGroups } from './cgroups.js';

/** The file of a workspace that says which control groups belong to it. */
export const cgroupList = 'cgroups';

/** The namespace of processes that the others are in; its number is part of what Linux promises to programs. */
const outermost = '4026531836';

/** Begins the name of a workspace: pids mean something in their own namespace only. */
export function workspacePrefix(): string {
  return `e2b-edge-${namespaceOf('self') ?? 'host'}-${process.pid}-`;
}

/** Removes what servers that were killed outright have left, this user's only. */
export async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, namespace, pid] = /^e2b-edge-(\d+|host)-(\d+)-/.exec(name) ?? [];
    if (namespace === undefined || isRunning(namespace, Number(pid))) continue;
    const path = join(tmpdir(), name);
    // Whoever cannot remove everything leaves it as it is.
    if (await isOwn(path)) await removeWorkspace(path).catch(() => {});
  }
}

/** Also where that cannot be told from here. */
function isRunning(namespace: string, pid: number): boolean {
  const own = namespaceOf('self');
  if (namespace === (own ?? 'host')) return pid <= 1 || isAlive(pid);
  if (own !== outermost) return true;
  return readdirSync('/proc').some((other) => namespaceOf(other) === namespace && !isZombie(Number(other)));
}

function namespaceOf(pid: string): string | undefined {
  try {
    return /\d+/.exec(readlinkSync(`/proc/${pid}/ns/pid`))?.[0];
  } catch {
    return undefined;
  }
}

async function isOwn(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isDirectory() === true && stats.uid === process.getuid?.();
}

async function removeWorkspace(path: string): Promise<void> {
  // Programs of sandboxes without a namespace outlive an envd that was killed as well.
  await killAll(() => processesBelow(path));
  // Theirs cannot, but for a bubblewrap that lost its server while it was about to start, and waits for ever.
  await killAll(() => launchersFor(path));
  const list = await readFile(join(path, cgroupList), 'utf8').catch(() => '');
  // Only what bears the name of the workspace can be its own.
  await removeGroups(list.split('\n').filter((directory) => basename(directory) === basename(path)));
  await removeTree(path);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
