import type { LawfulSession } from '../support/session.js';
import { locate } from '../support/tree.js';

/** Whether a path that arrived is plain, and both it and where it leads are granted. */
export function judgePath(who: LawfulSession, op: 'read' | 'write', path: string, follows: boolean): void {
  if (!isPlain(path)) throw new Error(`the path ${JSON.stringify(path)} is not plain`);
  // Where all is granted it is no matter where links lead.
  if (mayUse(who, op, '/')) return;
  const place = locate(path, follows);
  for (const one of [path, place]) {
    if (one === undefined || !mayUse(who, op, one)) throw new Error(`${op} of ${path}, which is ${place}`);
  }
}

/** Whether a plain path is at or below one that is granted. */
export function mayUse(
  { grant: { files = [] } }: Pick<LawfulSession, 'grant'>,
  op: 'read' | 'write',
  path: string,
): boolean {
  const parts = partsOf(path);
  return files.some((file) => file.op === op && partsOf(file.prefix).every((part, at) => parts[at] === part));
}

function isPlain(path: string): boolean {
  if (path === '/') return true;
  return /^(\/[^/\0\\]+)+$/.test(path) && !partsOf(path).some((part) => part === '.' || part === '..');
}

/** Whether one of two paths is at or below the other. */
export function isOnOneWay(one: string, other: string): boolean {
  const [a, b] = [partsOf(one), partsOf(other)];
  return a.every((part, at) => b[at] === part) || b.every((part, at) => a[at] === part);
}

/** The path without what leads nowhere else. */
export function plainPath(path: string): string {
  return `/${partsOf(path).join('/')}`;
}

function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}
