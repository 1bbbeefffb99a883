import { InvalidArgumentError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { FileData } from './upload-body.js';

/** Options of every call about files. */
export interface FileOptions extends CallOptions {
  /**
   * The Linux user whose home relative paths are below, and who gets what is made. Default: the template's. Through a
   * broker the session's user always wins.
   */
  user?: string;
}

/** A file to write. */
export interface WriteEntry {
  path: string;
  data: FileData;
}

/**
 * Refuses what is no path. envd takes an empty one for the working directory, and would remove all of that.
 * @throws {InvalidArgumentError}
 */
export function checkedPath(path: string, what: string): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path;
  const problem =
    typeof path !== 'string'
      ? `is not a string (${typeof path})`
      : path
        ? 'has a NUL character in it'
        : 'is empty';
  throw new InvalidArgumentError(`${what}: the path ${problem}.`);
}
