import { FileNotFoundError, InvalidArgumentError, NotFoundError, SandboxError } from '../errors.js';
import type { Connection } from '../transport/connection.js';
import type { Rpc } from '../transport/rpc.js';
import { userHeaders } from '../transport/user.js';
import { decodeEntry, type EntryInfo, type WriteInfo } from '../wire/file-entry.js';
import type { EntryInfo as EntryMessage } from '../wire/gen/filesystem/filesystem_pb.js';
import { checkedPath, type FileOptions, type WriteEntry } from './file-options.js';
import { type ReadFormats, type ReadOptions, readFile } from './read-file.js';
import type { FileData } from './upload-body.js';
import { type WriteOptions, writeFile, writeFiles } from './write-file.js';

export interface ListOptions extends FileOptions {
  /** How many levels down. Default 1: the directory's own entries. */
  depth?: number;
}

/**
 * The files of a sandbox. Paths are absolute, or below the user's home; `~` and `.` are the home itself.
 *
 * Every method throws `FileNotFoundError` for a path that does not exist, unless it says otherwise, and
 * `InvalidArgumentError` for one that cannot be meant.
 */
export class Files {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Reads a file: as text, where what is not UTF-8 becomes U+FFFD, or as `format` says. */
  read(path: string, options?: ReadOptions & { format?: 'text' }): Promise<string>;
  read<F extends keyof ReadFormats>(
    path: string,
    options: ReadOptions & { format: F },
  ): Promise<ReadFormats[F]>;
  async read(path: string, options: ReadOptions = {}): Promise<ReadFormats[keyof ReadFormats]> {
    return readFile(this.#connection, checkedPath(path, 'files.read'), options);
  }

  /**
   * Writes a file, or several; missing directories are made. A file that exists is overwritten in place.
   * @throws {NotEnoughSpaceError} the disk is full; what was written stays.
   */
  write(path: string, data: FileData, options?: WriteOptions): Promise<WriteInfo>;
  write(files: WriteEntry[], options?: WriteOptions): Promise<WriteInfo[]>;
  write(
    pathOrFiles: string | WriteEntry[],
    dataOrOptions?: FileData | WriteOptions,
    options: WriteOptions = {},
  ): Promise<WriteInfo | WriteInfo[]> {
    return Array.isArray(pathOrFiles)
      ? writeFiles(this.#connection, pathOrFiles, (dataOrOptions ?? {}) as WriteOptions)
      : writeFile(this.#connection, pathOrFiles, dataOrOptions as FileData, options);
  }

  /** Writes several files. */
  writeFiles(files: WriteEntry[], options: WriteOptions = {}): Promise<WriteInfo[]> {
    return writeFiles(this.#connection, files, options);
  }

  /** The entries of a directory, in the order of their names. Links are listed and not followed. */
  async list(path: string, options: ListOptions = {}): Promise<EntryInfo[]> {
    const { depth = 1 } = options;
    if (!Number.isInteger(depth) || depth < 1) {
      throw new InvalidArgumentError(
        `files.list: the depth is ${depth}: it must be a whole number from 1 on.`,
      );
    }
    const { entries } = await this.#call('files.list', options, (rpc, call) =>
      rpc.filesystem.listDir({ path: checkedPath(path, 'files.list'), depth }, call),
    );
    return entries.map(decodeEntry);
  }

  /** Whether there is something at a path; a link that leads nowhere is something. */
  async exists(path: string, options: FileOptions = {}): Promise<boolean> {
    try {
      await this.getInfo(path, options);
      return true;
    } catch (error) {
      if (error instanceof FileNotFoundError) return false;
      throw error;
    }
  }

  /** What is known of a file, a directory or a link. */
  async getInfo(path: string, options: FileOptions = {}): Promise<EntryInfo> {
    const { entry } = await this.#call('files.getInfo', options, (rpc, call) =>
      rpc.filesystem.stat({ path: checkedPath(path, 'files.getInfo') }, call),
    );
    return decoded(entry);
  }

  /**
   * Makes a directory, and those above it.
   * @returns false when it was there already.
   */
  async makeDir(path: string, options: FileOptions = {}): Promise<boolean> {
    try {
      await this.#call('files.makeDir', options, (rpc, call) =>
        rpc.filesystem.makeDir({ path: checkedPath(path, 'files.makeDir') }, call),
      );
      return true;
    } catch (error) {
      if (error instanceof SandboxError && error.code === 'already_exists') return false;
      throw error;
    }
  }

  /** Moves a file or a directory. A file at the new path is replaced; missing directories are made. */
  async rename(oldPath: string, newPath: string, options: FileOptions = {}): Promise<EntryInfo> {
    const { entry } = await this.#call('files.rename', options, (rpc, call) =>
      rpc.filesystem.move(
        {
          source: checkedPath(oldPath, 'files.rename'),
          destination: checkedPath(newPath, 'files.rename'),
        },
        call,
      ),
    );
    return decoded(entry);
  }

  /** Removes a file, or a directory with all that is in it. That there is nothing at the path is no error. */
  async remove(path: string, options: FileOptions = {}): Promise<void> {
    await this.#call('files.remove', options, (rpc, call) =>
      rpc.filesystem.remove({ path: checkedPath(path, 'files.remove') }, call),
    );
  }

  async #call<T>(
    what: string,
    options: FileOptions,
    call: (rpc: Rpc, options: { signal: AbortSignal; headers: Record<string, string> }) => Promise<T>,
  ): Promise<T> {
    const headers = userHeaders(this.#connection, options.user);
    try {
      return await this.#connection.call(options, what, (rpc, signal) => call(rpc, { signal, headers }));
    } catch (error) {
      if (!(error instanceof NotFoundError) || error.code !== 'not_found') throw error;
      throw new FileNotFoundError(error.message, { cause: error });
    }
  }
}

function decoded(entry: EntryMessage | undefined): EntryInfo {
  if (!entry)
    throw new SandboxError('envd answered without the entry that was asked for.', { code: 'protocol_error' });
  return decodeEntry(entry);
}
