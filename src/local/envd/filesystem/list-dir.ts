import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import type { EntryInfo } from '../../../wire/gen/filesystem/filesystem_pb.js';
import { errnoOf, reasonOf, toConnectError } from '../errors.js';
import type { PathSpace } from '../paths.js';
import { entryInfo } from './entry-info.js';
import { OwnerNames } from './owner-names.js';

/** More make an answer that no client reads, and take envd's memory. */
const maxEntries = 500_000;
/** As many as keep Node's few threads busy. */
const looksAtOnce = 64;

/**
 * The entries below a directory down to `depth` (0 means 1), depth first, in lexical order, without the
 * directory itself. A symlink is followed only as the root, and paths keep the prefix that was asked for.
 */
export async function listDir(
  path: string,
  depth: number,
  paths: PathSpace,
  limit: number = maxEntries,
): Promise<EntryInfo[]> {
  try {
    const root = await realpath(await paths.target(path));
    if (!(await stat(root)).isDirectory()) {
      throw new ConnectError(`path is not a directory: ${path}`, Code.InvalidArgument);
    }
    const listing = { paths, names: new OwnerNames(), limit, entries: [] };
    await descend(listing, { path: paths.name(root), shown: path, real: root }, Math.max(depth, 1));
    return listing.entries;
  } catch (error) {
    throw listError(error, path);
  }
}

interface Listing {
  readonly paths: PathSpace;
  readonly names: OwnerNames;
  readonly limit: number;
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
  const children = await sorted(directory.real);
  for (let at = 0; at < children.length; at += looksAtOnce) {
    const some = children.slice(at, at + looksAtOnce);
    const entries = await Promise.all(
      some.map(({ name }) => look(listing, posix.join(directory.path, name))),
    );
    for (const [index, entry] of entries.entries()) {
      if (!entry) continue;
      const child = some[index]!;
      const { path } = entry;
      entry.path = posix.join(directory.shown, child.name);
      listing.entries.push(entry);
      if (listing.entries.length > listing.limit) {
        throw new ConnectError(
          `there are more than ${listing.limit} entries: ask for less depth`,
          Code.ResourceExhausted,
        );
      }
      if (depth <= 1 || !child.isDirectory()) continue;
      const real = posix.join(directory.real, child.name);
      await unlessGone(descend(listing, { path, shown: entry.path, real }, depth - 1));
    }
  }
}

function look({ paths, names }: Listing, path: string): Promise<EntryInfo | undefined> {
  return unlessGone(entryInfo(path, paths, names));
}

/** An entry may have gone since its directory was read. (So has, it seems, one whose name is no text.) */
async function unlessGone<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
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
