import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Removes a directory, also when directories in it were made unreadable, which only their owner may undo, or lie
 * deeper than a path can say. The programs go from directory to directory, and have no such limit.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await run('chmod', ['-fR', 'u+rwx', '--', path]).catch(() => {});
    await run('rm', ['-rf', '--', path]);
  }
}
