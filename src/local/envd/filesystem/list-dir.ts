import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
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
  try {
    const root = await realpath(await paths.target(path));
    if (!(await stat(root)).isDirectory()) {
      throw new ConnectError(`path is not a directory: ${path}`, Code.InvalidArgument);
    }
    const listing = { paths, names: new OwnerNames(), entries: [] };
    await descend(listing, { path: paths.name(root), shown: path, real: root }, Math.max(depth, 1));
    return listing.entries;
  } catch (error) {
    throw listError(error, path);
  }
}

interface Listing {
  readonly paths: PathSpace;
  readonly names: OwnerNames;
  readonly entries: EntryInfo[];
}

interface Directory {
  /** The client's name of it, free of symlinks. */
  readonly path: string;
  /** As it is told. */
  readonly shown: string;
  readonly real: string;
}

async function descend(listing: Listing, directory: Directory, depth: number): Promise<void> {
  for (const child of await sorted(directory.real)) {
    const path = posix.join(directory.path, child.name);
    const shown = posix.join(directory.shown, child.name);
    try {
      const entry = await entryInfo(path, listing.paths, listing.names);
      entry.path = shown;
      listing.entries.push(entry);
      if (depth > 1 && child.isDirectory()) {
        await descend(listing, { path, shown, real: posix.join(directory.real, child.name) }, depth - 1);
      }
    } catch (error) {
      // Gone since the directory was read, or of a name that is not text and cannot be told.
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** In the order of the names' bytes. */
async function sorted(directory: string): Promise<Dirent[]> {
  const children = await readdir(directory, { withFileTypes: true });
  const keyed = children.map((child) => ({ child, key: Buffer.from(child.name).toString('latin1') }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  return keyed.map(({ child }) => child);
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
