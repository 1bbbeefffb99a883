import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errnoOf } from '../errors.js';

const run = promisify(execFile);

/** Removes what is there, if anything, with all that is below. */
export async function removeTree(named: string): Promise<void> {
  // A file that is named as if it were a directory goes, too.
  const path = named.replace(/(?<=.)\/+$/, '');
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (errnoOf(error) !== 'ENAMETOOLONG') throw error;
    // Directories in each other may make longer paths than a call takes. rm goes down step by step.
    await run('rm', ['-rf', '--', path]).catch(() => {
      throw error;
    });
  }
}
