import { FileNotFoundError, NotFoundError, SandboxError } from '../errors.js';
import { callback, check, checkOptions, type Rules, whole } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import type { Rpc } from '../transport/rpc.js';
import { userHeaders } from '../transport/user.js';
import { envdVersions } from '../transport/version.js';
import { decodeEntry, type EntryInfo, type WriteInfo } from '../wire/file-entry.js';
import type { EntryInfo as EntryMessage } from '../wire/messages/filesystem.js';
import { checkDirectory, checkPath, type FileOptions, fileRules } from './file-options.js';
import { type ReadFormats, type ReadOptions, readFile } from './read-file.js';
import type { FileData } from './upload-body.js';
import { watchOpener } from './watch-dir.js';
import { WatchHandle, type WatchListener } from './watch-handle.js';
import { type WatchOptions, watchRules } from './watch-options.js';
import { type WriteEntry, type WriteOptions, writeFile, writeFiles } from './write-file.js';

export interface ListOptions extends FileOptions {
  /** How many levels down. Default 1: the directory's own entries. */
  depth?: number;
}

/** As deep as the wire can say. */
const listRules: Rules<ListOptions> = { ...fileRules, depth: whole(1, 2 ** 32 - 1) };

/**
 * The files of a sandbox. Paths are absolute, or below the user's home; `~` and `.` are the home itself. For a directory
 * that is only looked at, an empty path is the working directory (with an API key; a broker refuses it).
 *
 * Every method throws `FileNotFoundError` for a path that does not exist, unless it says otherwise, and
 * `InvalidArgumentError` for one that cannot be meant.
 *
 * Names are text here. One that is no UTF-8 cannot be said: list and remove such files by a command.
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
    return readFile(this.#connection, path, options);
  }

  /**
   * Writes a file, or several; missing directories are made. A file that exists is overwritten in place.
   * @throws {NotEnoughSpaceError} the disk is full; what was written stays.
   */
  write(path: string, data: FileData, options?: WriteOptions): Promise<WriteInfo>;
  write(files: WriteEntry[], options?: WriteOptions): Promise<WriteInfo[]>;
  async write(
    pathOrFiles: string | WriteEntry[],
    dataOrOptions?: FileData | WriteOptions,
    options: WriteOptions = {},
  ): Promise<WriteInfo | WriteInfo[]> {
    return Array.isArray(pathOrFiles)
      ? writeFiles(this.#connection, pathOrFiles, dataOrOptions as WriteOptions | undefined)
      : writeFile(this.#connection, pathOrFiles, dataOrOptions as FileData, options);
  }

  /** Writes several files. */
  async writeFiles(files: WriteEntry[], options?: WriteOptions): Promise<WriteInfo[]> {
    return writeFiles(this.#connection, files, options);
  }

  /** The entries of a directory, in the order of their names. Links are listed and not followed. */
  async list(path: string, options: ListOptions = {}): Promise<EntryInfo[]> {
    checkDirectory('files.list', path);
    checkOptions('files.list', options, listRules);
    const { depth = 1 } = options;
    const { entries } = await this.#call('files.list', options, (rpc, call) =>
      rpc.filesystem.listDir({ path, depth }, call),
    );
    return entries.map(decodeEntry);
  }

  /** Whether there is something at a path; a link that leads nowhere is something. */
  async exists(path: string, options: FileOptions = {}): Promise<boolean> {
    try {
      await this.#stat('files.exists', path, options);
      return true;
    } catch (error) {
      if (error instanceof FileNotFoundError) return false;
      throw error;
    }
  }

  /** What is known of a file, a directory or a link. */
  async getInfo(path: string, options: FileOptions = {}): Promise<EntryInfo> {
    return this.#stat('files.getInfo', path, options);
  }

  /**
   * Makes a directory, and those above it.
   * @returns false when it was there already.
   */
  async makeDir(path: string, options: FileOptions = {}): Promise<boolean> {
    checkPath('files.makeDir', path);
    checkOptions('files.makeDir', options, fileRules);
    try {
      await this.#call('files.makeDir', options, (rpc, call) => rpc.filesystem.makeDir({ path }, call));
      return true;
    } catch (error) {
      if (error instanceof SandboxError && error.code === 'already_exists') return false;
      throw error;
    }
  }

  /** Moves a file or a directory. A file at the new path is replaced; missing directories are made. */
  async rename(oldPath: string, newPath: string, options: FileOptions = {}): Promise<EntryInfo> {
    checkPath('files.rename', oldPath, 'oldPath');
    checkPath('files.rename', newPath, 'newPath');
    checkOptions('files.rename', options, fileRules);
    const { entry } = await this.#call('files.rename', options, (rpc, call) =>
      rpc.filesystem.move({ source: oldPath, destination: newPath }, call),
    );
    return decoded(entry);
  }

  /** Removes a file, or a directory with all that is in it. That there is nothing at the path is no error. */
  async remove(path: string, options: FileOptions = {}): Promise<void> {
    checkPath('files.remove', path);
    checkOptions('files.remove', options, fileRules);
    await this.#call('files.remove', options, (rpc, call) => rpc.filesystem.remove({ path }, call));
  }

  /**
   * Watches a directory. What happens once this has resolved is seen: by `onEvent`, one event after the other, which the
   * next one waits for; or, without it, by a loop over the handle.
   * @throws {InvalidArgumentError} it is no directory, or on a network mount.
   * @throws {TemplateError} the sandbox's envd is older than an option needs.
   */
  watchDir(path: string, onEvent: WatchListener, options?: WatchOptions): Promise<WatchHandle>;
  watchDir(path: string, options?: WatchOptions): Promise<WatchHandle>;
  async watchDir(
    path: string,
    onEventOrOptions: WatchListener | WatchOptions = {},
    optionsBehind: WatchOptions = {},
  ): Promise<WatchHandle> {
    const [onEvent, options] =
      typeof onEventOrOptions === 'object'
        ? [undefined, onEventOrOptions]
        : [onEventOrOptions, optionsBehind];
    checkDirectory('files.watchDir', path);
    if (onEvent !== undefined) check('files.watchDir: onEvent', onEvent, callback);
    checkOptions('files.watchDir', options, watchRules);
    const connection = this.#connection;
    if (options.recursive)
      connection.requireEnvd(envdVersions.recursiveWatch, 'files.watchDir with recursive');
    if (options.includeEntry)
      connection.requireEnvd(envdVersions.watchEntries, 'files.watchDir with includeEntry');
    if (options.allowNetworkMounts)
      connection.requireEnvd(envdVersions.watchNetworkMounts, 'files.watchDir with allowNetworkMounts');
    return new WatchHandle(watchOpener(connection, path, options), options).start(onEvent);
  }

  async #stat(what: string, path: string, options: FileOptions): Promise<EntryInfo> {
    checkDirectory(what, path);
    checkOptions(what, options, fileRules);
    const { entry } = await this.#call(what, options, (rpc, call) => rpc.filesystem.stat({ path }, call));
    return decoded(entry);
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
