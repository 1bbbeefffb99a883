import { readdir, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import type { EntryInfo } from '../../../wire/gen/filesystem/filesystem_pb.js';
import { errnoOf, reasonOf, toConnectError } from '../errors.js';
import type { PathSpace } from '../paths.js';
import { entryInfo } from './entry-info.js';
import { OwnerNames } from './owner-names.js';

/**
 * The entries below a directory down to `depth` (0 means 1), depth first, in lexical order, without the
 * directory itself. A symlink is followed only as the root, and paths keep the prefix that was asked for.
 */
export async function listDir(path: string, depth: number, paths: PathSpace): Promise<EntryInfo[]> {
  const entries: EntryInfo[] = [];
  try {
    const root = await paths.target(path);
    if (!(await stat(root)).isDirectory()) {
      throw new ConnectError(`path is not a directory: ${path}`, Code.InvalidArgument);
    }
    await descend(path, root, Math.max(depth, 1), paths, new OwnerNames(), entries);
  } catch (error) {
    throw listError(error, path);
  }
  return entries;
}

async function descend(
  path: string,
  directory: string,
  depth: number,
  paths: PathSpace,
  names: OwnerNames,
  entries: EntryInfo[],
): Promise<void> {
  const children = await readdir(directory, { withFileTypes: true });
  children.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  for (const child of children) {
    const childPath = posix.join(path, child.name);
    try {
      entries.push(await entryInfo(childPath, paths, names));
      if (depth > 1 && child.isDirectory()) {
        await descend(childPath, posix.join(directory, child.name), depth - 1, paths, names, entries);
      }
    } catch (error) {
      // Gone since the directory was read.
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

function listError(error: unknown, path: string): ConnectError {
  const message = `error listing directory ${path}: ${reasonOf(error)}`;
  switch (errnoOf(error)) {
    case 'ENOENT':
      return new ConnectError(`directory not found: ${path}`, Code.NotFound, undefined, undefined, error);
    case 'ELOOP':
      return new ConnectError(message, Code.FailedPrecondition, undefined, undefined, error);
    case undefined:
      return toConnectError(error);
    default:
      return new ConnectError(message, Code.Internal, undefined, undefined, error);
  }
}
