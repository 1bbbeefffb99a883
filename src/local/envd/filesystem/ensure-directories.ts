import { chown, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errnoOf, reasonOf } from '../errors.js';
import { ownershipOf, type User } from '../users.js';

/**
 * The directory that a path is in, as Go (and so envd) has it: of the cleaned path, so that nothing is made for the
 * sake of a `missing/..`.
 */
export function parentOf(path: string): string {
  return resolve(dirname(path));
}

/**
 * Makes a directory and those missing above it, which then belong to the user. Throws a plain error that says what
 * is wrong; `nameOf` is the client's name of a path.
 */
export async function ensureDirectories(
  path: string,
  user: User,
  nameOf: (path: string) => string,
): Promise<void> {
  if (await isDirectory(path, nameOf)) return;
  await ensureDirectories(parentOf(path), user, nameOf);
  try {
    await mkdir(path, { mode: 0o755 }).catch(async (error) => {
      // Somebody else was faster, which is as good; but it may also be a symlink that leads nowhere.
      if (errnoOf(error) !== 'EEXIST' || !(await isDirectory(path, nameOf))) throw error;
    });
    const owner = ownershipOf(user);
    if (owner) await chown(path, owner.uid, owner.gid);
  } catch (error) {
    throw new Error(`failed to create directory ${nameOf(path)}: ${reasonOf(error)}`, { cause: error });
  }
}

/** False when nothing is there. Throws when something else is. */
async function isDirectory(path: string, nameOf: (path: string) => string): Promise<boolean> {
  const stats = await stat(path).catch((error) => {
    // Of ENOTDIR the directory above will tell more.
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw new Error(`failed to stat directory ${nameOf(path)}: ${reasonOf(error)}`, { cause: error });
  });
  if (!stats) return false;
  if (!stats.isDirectory()) throw new Error(`path is a file: ${nameOf(path)}`);
  return true;
}
