import type { Timestamp } from '../messages/timestamp.js';

/** In JSON a time is a text, and not a message with fields. */
export const timestampName = 'google.protobuf.Timestamp';

/** Of the year 1, and of 9999. */
const firstSecond = -62_135_596_800;
const lastSecond = 253_402_300_799;

/**
 * As RFC 3339 has it, in UTC, with 0, 3, 6 or 9 digits of a second.
 * @throws {RangeError} the year has not four digits, or it is no part of a second.
 */
export function formatTimestamp({ seconds, nanos }: Timestamp): string {
  if (seconds < firstSecond || seconds > lastSecond || nanos < 0 || nanos >= 1e9)
    throw new RangeError(`${seconds} s and ${nanos} ns are no time in JSON`);
  const whole = new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length);
  if (nanos === 0) return `${whole}Z`;
  return `${whole}.${String(nanos)
    .padStart(9, '0')
    .replace(/(000){1,2}$/, '')}Z`;
}

/** @throws {TypeError} it is no time as RFC 3339 has it. */
export function parseTimestamp(json: unknown): Timestamp {
  const [, whole, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(String(json)) ?? [];
  const ms = Date.parse(`${whole}${zone}`);
  if (typeof json !== 'string' || Number.isNaN(ms)) throw new TypeError('it is not a time of RFC 3339');
  return { seconds: ms / 1000, nanos: Number(fraction.padEnd(9, '0')) };
}
