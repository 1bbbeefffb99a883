import { ApiError } from '../http/replies.js';
import type { Sandbox } from './sandbox.js';

const largestPage = 100;

/** One page of `GET /v2/sandboxes`, and the token of the next. */
export interface Page {
  readonly sandboxes: readonly Sandbox[];
  readonly nextToken?: string;
}

/** Filters, orders and cuts the list as the query says. Only running sandboxes exist here. */
export function listPage(all: readonly Sandbox[], query: URLSearchParams): Page {
  const limit = parseLimit(query.get('limit'));
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') throw new ApiError(400, "order must be 'asc' or 'desc'");
  const sign = order === 'asc' ? 1 : -1;
  const sorted = all.filter(matches(query)).sort((a, b) => sign * compare(keyOf(a), keyOf(b)));
  const token = query.get('nextToken');
  const last = token ? parseToken(token, order) : undefined;
  const rest = last === undefined ? sorted : sorted.filter((one) => sign * compare(keyOf(one), last) > 0);
  const sandboxes = rest.slice(0, limit);
  if (rest.length <= limit) return { sandboxes };
  return { sandboxes, nextToken: tokenOf(keyOf(sandboxes.at(-1)!), order) };
}

/** Whether a sandbox has all the metadata that `metadata=` asks for. */
export function hasMetadata(query: URLSearchParams): (sandbox: Sandbox) => boolean {
  const wanted = parseMetadata(query.get('metadata'));
  return ({ metadata }) => wanted.every(([key, value]) => metadata[key] === value);
}

function matches(query: URLSearchParams): (sandbox: Sandbox) => boolean {
  const states = query.getAll('state').flatMap((states) => states.split(','));
  const template = query.get('template');
  const startedAfter = query.get('startedAfter');
  const after = startedAfter === null ? undefined : Date.parse(startedAfter);
  if (Number.isNaN(after)) throw new ApiError(400, 'startedAfter must be a date and time');
  const metadata = hasMetadata(query);
  return (sandbox) =>
    (states.length === 0 || states.includes('running')) &&
    (template === null || sandbox.templateId === template) &&
    (after === undefined || sandbox.startedAt > after) &&
    metadata(sandbox);
}

/** A query string inside a query value, whose keys and values are encoded once more. */
function parseMetadata(text: string | null): [string, string][] {
  try {
    return [...new URLSearchParams(text ?? '')].map(([key, value]) => [
      decodeURIComponent(key),
      decodeURIComponent(value),
    ]);
  } catch {
    throw new ApiError(400, 'metadata is not a doubly encoded query string');
  }
}

function parseLimit(text: string | null): number {
  const limit = text === null ? largestPage : Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > largestPage) {
    throw new ApiError(400, `limit must be a whole number from 1 to ${largestPage}`);
  }
  return limit;
}

type Key = readonly [startedAt: number, id: string];

function keyOf(sandbox: Sandbox): Key {
  return [sandbox.startedAt, sandbox.id];
}

function compare(a: Key, b: Key): number {
  return a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0);
}

function tokenOf(key: Key, order: string): string {
  return Buffer.from(JSON.stringify([...key, order])).toString('base64url');
}

function parseToken(token: string, order: string): Key {
  try {
    const [startedAt, id, tokenOrder] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (typeof startedAt === 'number' && typeof id === 'string' && tokenOrder === order)
      return [startedAt, id];
  } catch {
    // Answered below.
  }
  throw new ApiError(400, 'Invalid next token');
}
