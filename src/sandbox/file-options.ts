import type { CallOptions } from '../transport/call-options.js';
import { callRules, check, type Rule, type Rules } from '../transport/check-options.js';
import { linuxUser } from './process-rules.js';

/** Options of every call about files. */
export interface FileOptions extends CallOptions {
  /**
   * The Linux user whose home relative paths are below, and who gets what is made. Default: the template's. Through a
   * broker the session's user always wins.
   */
  user?: string;
}

export const fileRules: Rules<FileOptions> = { ...callRules, user: linuxUser };

/** What every system call would refuse, or what would arrive as another path. */
function isPath(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0') && !/\p{Surrogate}/u.test(value);
}

const path: Rule = [
  'a path: a string that is not empty and has neither a NUL nor half a surrogate pair in it',
  (value) => value !== '' && isPath(value),
];
const pathOrNothing: Rule = [
  'a path: a string that has neither a NUL nor half a surrogate pair in it',
  isPath,
];

/**
 * Refuses what is no path. envd takes an empty one for the working directory, and would remove or move all of that.
 * @param what the call, for the message: `files.remove`.
 * @throws {InvalidArgumentError}
 */
export function checkPath(what: string, value: unknown, name = 'path'): void {
  check(`${what}: ${name}`, value, path);
}

/**
 * The same for a directory that is only looked at: there an empty path is the working directory, as in the official SDK.
 * @throws {InvalidArgumentError}
 */
export function checkDirectory(what: string, value: unknown): void {
  check(`${what}: path`, value, pathOrNothing);
}
