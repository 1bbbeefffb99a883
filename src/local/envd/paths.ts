import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, normalize, posix, sep } from 'node:path';
import { errnoOf, PathError } from './errors.js';
import type { User } from './users.js';

/**
 * What a client's path means: `~` and relative paths start at the user's home, an empty one is the default
 * working directory, an absolute one is kept as given.
 */
export function expandPath(path: string, user: User, workdir?: string): string {
  if (path.includes('\0')) throw new PathError('path contains a NUL byte');
  if (path === '') return workdir ?? user.home;
  if (/^~([/\\]|$)/.test(path)) return below(user.home, path.slice(1));
  if (path.startsWith('~')) throw new PathError('cannot expand user-specific home dir');
  return path.startsWith('/') ? path : below(user.home, path);
}

/** Without the slash that Node leaves at the end. */
function below(directory: string, path: string): string {
  return posix.join(directory, path).replace(/(?<=.)\/$/, '');
}

/** From the paths that clients use to those of this process's file system, and back. */
export interface PathSpace {
  /** The entry itself: a last symlink is not followed. */
  entry(path: string): Promise<string>;
  /** What the path leads to. */
  target(path: string): Promise<string>;
  /** The client's name of a path of this file system. */
  name(real: string): string;
}

/** Inside a namespace the two are the same, and the kernel keeps symlinks from leading out. */
export const namespacePaths: PathSpace = {
  entry: async (path) => path,
  target: async (path) => path,
  name: (real) => real,
};

/** Without a namespace `/` is a directory of the host, and no path may leave it, not even by a symlink. */
export function directoryPaths(root: string): PathSpace {
  const inside = (path: string): boolean => path === root || path.startsWith(root + sep);
  const refuse = (path: string): never => {
    throw new PathError(`path '${path}' leads outside the sandbox`);
  };
  // Programs of the sandbox see (and print) host paths; those are taken as they are.
  const place = (path: string): string => {
    const clean = normalize(path);
    return inside(clean) ? clean : join(root, normalize(`/${path}`));
  };

  /** The real path of the deepest directory that exists, with what is still missing appended. */
  async function resolveExisting(path: string, asked: string): Promise<string> {
    try {
      const real = await realpath(path);
      return inside(real) ? real : refuse(asked);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      // A dangling link: what is written through it would appear wherever it points.
      if (await exists(path)) refuse(asked);
      return join(await resolveExisting(dirname(path), asked), basename(path));
    }
  }

  return {
    async entry(path) {
      const placed = place(path);
      if (placed === root) return root;
      return join(await resolveExisting(dirname(placed), path), basename(placed));
    },
    target: (path) => resolveExisting(place(path), path),
    name: (real) => (inside(real) ? real.slice(root.length) || '/' : real),
  };
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
