/** Paths of the sandbox, made plain before anything is decided about them. */

import { invalidRequest } from './refusals.js';

const maxPathBytes = 4096;

/**
 * The absolute path without `.`, `..`, `//` and a trailing slash.
 * @param home what `~` and relative paths count from, as in envd; asked for only where it matters.
 * @throws where there is no telling what envd would make of it.
 */
export async function normalizePath(path: string, home: () => Promise<string>): Promise<string> {
  if (path === '') throw invalidRequest('The path is empty.');
  // UTF-16 units that are no text would be replaced on the way, so that another path arrived than was checked.
  if (/\p{Surrogate}/u.test(path)) throw invalidRequest('The path is not valid Unicode.');
  if (path.includes('\0') || path.includes('\\')) {
    throw invalidRequest('The path has a NUL or a backslash, which are not let through.');
  }
  if (new TextEncoder().encode(path).length > maxPathBytes) throw invalidRequest('The path is too long.');
  if (path.startsWith('/')) return normalizeAbsolute(path);
  if (path.startsWith('~') && path !== '~' && !path.startsWith('~/')) {
    throw invalidRequest("The path names another user's home: give an absolute path.");
  }
  const below = path.startsWith('~') ? path.slice(1) : path;
  return normalizeAbsolute(`${await home()}/${below}`);
}

/** As {@link normalizePath}, for a path that is absolute already. */
export function normalizeAbsolute(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  return `/${kept.join('/')}`;
}

/** Whether a normalised path is the prefix or below it. */
export function isWithin(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

/** All paths on the way to a normalised one, itself the last: `/a/b` has `/a` and `/a/b`. */
export function pathsOnTheWay(path: string): string[] {
  const parts = path.split('/').slice(1);
  return path === '/' ? [] : parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
