const defaultSeconds = 90;
const longestSeconds = 24 * 3600;

/**
 * After how long a silence, in milliseconds, a stream sends a sign of life: `Keepalive-Ping-Interval` has it in
 * seconds. What a real envd does not survive (0 and less) is the shortest there is.
 */
export function keepaliveMs(headers: Headers): number {
  const header = headers.get('keepalive-ping-interval');
  const seconds = header !== null && /^[+-]?\d+$/.test(header) ? Number(header) : defaultSeconds;
  return Math.min(Math.max(seconds, 1), longestSeconds) * 1000;
}
