import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes a directory, also when directories in it were made unreadable, which only their owner may undo. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await openTree(path).catch(() => {});
    await rm(path, { recursive: true, force: true });
  }
}

async function openTree(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await openTree(join(path, name));
}
