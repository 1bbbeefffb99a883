import { ApiError } from '../../http/replies.js';
import { parseQueryNumber } from './fields.js';

export const largestPage = 100;

export type Order = 'asc' | 'desc';

/** Where an item stands in a list: items can come and go between two pages without one being left out. */
export type Key = readonly [time: number, id: string];

/** A part of a list, and the token of the next. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken?: string;
}

/** Sorts a list, newest first unless told otherwise, and cuts out the page that `limit` and `nextToken` ask for. */
export function pageOf<T>(
  all: readonly T[],
  keyOf: (item: T) => Key,
  query: URLSearchParams,
  order: Order = 'desc',
): Page<T> {
  const limit = parseQueryNumber(query, 'limit', 1, largestPage) ?? largestPage;
  const token = query.get('nextToken');
  const last = token ? parseToken(token, order) : undefined;
  const compare = (a: Key, b: Key): number => compareKeys(a, b) * (order === 'asc' ? 1 : -1);
  const rest = all
    .filter((item) => last === undefined || compare(keyOf(item), last) > 0)
    .sort((a, b) => compare(keyOf(a), keyOf(b)));
  const items = rest.slice(0, limit);
  if (rest.length <= limit) return { items };
  return { items, nextToken: tokenOf(keyOf(items.at(-1)!), order) };
}

/** By time; within one millisecond by id, backwards, as upstream. */
function compareKeys(a: Key, b: Key): number {
  return a[0] - b[0] || (a[1] < b[1] ? 1 : a[1] > b[1] ? -1 : 0);
}

function tokenOf(key: Key, order: Order): string {
  return Buffer.from(JSON.stringify([...key, order])).toString('base64url');
}

function parseToken(token: string, order: Order): Key {
  try {
    const [time, id, tokenOrder] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (typeof time === 'number' && typeof id === 'string' && tokenOrder === order) return [time, id];
  } catch {
    // Answered below.
  }
  throw new ApiError(400, 'Invalid next token');
}
