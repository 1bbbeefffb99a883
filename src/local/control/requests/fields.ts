import { ApiError } from '../../http/replies.js';

/** Longest life of a sandbox, from now, in seconds. */
export const longestTimeoutSeconds: number = 24 * 3600;

export type Fields = Record<string, unknown>;

/** A JSON object. `field` is how the error calls what is none. */
export function parseObject(value: unknown, field: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ApiError(400, `${field} must be a JSON object`);
  }
  return value as Fields;
}

/** An object whose values are strings; empty when absent. */
export function parseStrings(value: unknown, field: string): Record<string, string> {
  if (isAbsent(value)) return {};
  const entries = Object.entries(parseObject(value, field));
  for (const [key, text] of entries) {
    if (typeof text !== 'string') throw new ApiError(400, `${field}.${key} must be a string`);
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

export function parseBoolean(value: unknown, field: string): boolean | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'boolean') throw new ApiError(400, `${field} must be true or false`);
  return value;
}

export function parseString(value: unknown, field: string): string | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'string') throw new ApiError(400, `${field} must be a string`);
  return value;
}

export function parseList(value: unknown, field: string): readonly unknown[] | undefined {
  if (isAbsent(value)) return undefined;
  if (!Array.isArray(value)) throw new ApiError(400, `${field} must be a list`);
  return value;
}

/** A whole number of seconds between `least` and the longest life. */
export function parseTimeout(value: unknown, field: string, least: number): number {
  const seconds = parseWhole(value, `${field} must be a whole number of seconds`);
  if (seconds < least) throw new ApiError(400, `${field} must be at least ${least}`);
  if (seconds > longestTimeoutSeconds) {
    throw new ApiError(400, `${field} must be at most ${longestTimeoutSeconds} (24 hours)`);
  }
  return seconds;
}

/** An optional whole number in a query. */
export function parseQueryNumber(
  query: URLSearchParams,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most) {
    throw new ApiError(400, `${name} must be a whole number from ${least} to ${most}`);
  }
  return number;
}

export function parseWhole(value: unknown, complaint: string): number {
  if (!Number.isSafeInteger(value)) throw new ApiError(400, complaint);
  return value as number;
}

/** Clients leave a field out or send null; both mean the same. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
