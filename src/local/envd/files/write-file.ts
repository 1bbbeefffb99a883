import { constants, realpathSync } from 'node:fs';
import { chown, type FileHandle, open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { errnoOf, HttpError, reasonOf } from '../errors.js';
import { ensureDirectories, parentOf } from '../filesystem/ensure-directories.js';
import { type Metadata, readMetadata, writeMetadata } from '../filesystem/metadata.js';
import type { PathSpace } from '../paths.js';
import { ownershipOf, type User } from '../users.js';

/** What an upload is answered with, for each file. */
export interface Uploaded {
  readonly path: string;
  readonly name: string;
  readonly type: 'file';
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What all files of one upload share. */
export interface UploadSettings {
  readonly user: User;
  readonly metadata: Metadata;
  readonly paths: PathSpace;
  /** The length of the whole request in bytes, where the client has said it. */
  readonly length: number | undefined;
}

/** Not to wait for the other end of a FIFO that has come into the file's place. */
const writeFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK;

/** Writes one file in place, with the directories that it needs. Rejects with an `HttpError`, or as `content` does. */
export async function writeFile(
  path: string,
  content: AsyncIterable<Buffer>,
  settings: UploadSettings,
): Promise<Uploaded> {
  const { user, metadata, paths } = settings;
  if (path.endsWith('/')) throw new HttpError(400, `path is a directory: ${path}`);
  const target = await paths.target(path);
  const isNew = !(await isThere(target, path));
  if (!isNew) await give(user, (uid, gid) => chown(target, uid, gid));
  const file = await openToWrite(target, settings);
  try {
    if (isNew) await give(user, (uid, gid) => file.chown(uid, gid));
    await writeAll(file, content).catch((error) => {
      throw writeError(error, settings.length);
    });
  } finally {
    await file.close();
  }
  // A new file has none to be replaced.
  const stored = isNew && metadata.size === 0 ? metadata : attach(metadata, target);
  return {
    path,
    name: basename(path),
    type: 'file',
    ...(stored.size > 0 && { metadata: Object.fromEntries(stored) }),
  };
}

async function openToWrite(target: string, { user, paths }: UploadSettings): Promise<FileHandle> {
  const openIt = (): Promise<FileHandle> => open(target, writeFlags, 0o666);
  try {
    // Most files go where there is a directory already.
    return await openIt().catch(async (error) => {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
      await ensureDirectories(parentOf(target), user, paths.name).catch((cause) => {
        throw new HttpError(500, `error ensuring directories: ${reasonOf(cause)}`);
      });
      return openIt();
    });
  } catch (error) {
    if (error instanceof HttpError) throw error;
    if (errnoOf(error) === 'ENOSPC') {
      throw new HttpError(507, `not enough inodes available: ${reasonOf(error)}`);
    }
    throw new HttpError(500, `error opening file: ${reasonOf(error)}`);
  }
}

/** Writes everything from where the file is, and waits for each piece: what comes too fast stays with its sender. */
export async function writeAll(file: FileHandle, content: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of content) await file.writeFile(chunk);
}

/** Whether there is a file to write over. Throws when there is something else. */
async function isThere(target: string, path: string): Promise<boolean> {
  const stats = await stat(target).catch((error) => {
    // Of a missing or impossible directory the attempt to make it will tell.
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw new HttpError(500, `error getting file info: ${reasonOf(error)}`);
  });
  if (stats?.isDirectory()) throw new HttpError(400, `path is a directory: ${path}`);
  // A FIFO or a device may take what is written at any time or never, and Node waits in one of few threads.
  if (stats && !stats.isFile()) throw new HttpError(400, `path is not a regular file: ${path}`);
  return stats !== undefined;
}

async function give(user: User, change: (uid: number, gid: number) => Promise<void>): Promise<void> {
  const owner = ownershipOf(user);
  if (!owner) return;
  await change(owner.uid, owner.gid).catch((error) => {
    throw new HttpError(500, `error changing file ownership: ${reasonOf(error)}`);
  });
}

function writeError(error: unknown, length: number | undefined): unknown {
  if (error instanceof HttpError || (error as NodeJS.ErrnoException).syscall === undefined) return error;
  if (errnoOf(error) !== 'ENOSPC') return new HttpError(500, `error writing file: ${reasonOf(error)}`);
  const attempted = length ? `attempted to write ${length} bytes: ` : '';
  return new HttpError(507, `${attempted}not enough disk space available`);
}

/** Makes this all the metadata that the file has, and returns what it has. */
function attach(metadata: Metadata, target: string): Metadata {
  try {
    const file = realpathSync.native(target);
    writeMetadata(file, metadata);
    return readMetadata(file);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new HttpError(507, `not enough space for file metadata: ${reasonOf(error)}`);
    }
    throw new HttpError(500, `error writing file metadata: ${reasonOf(error)}`);
  }
}
