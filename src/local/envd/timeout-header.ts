/** Node's timers go no further, and fire at once when asked to. A local sandbox lives shorter. */
const longestMs = 2 ** 31 - 1;

/**
 * `Connect-Timeout-Ms` as Go's implementation of the protocol understands it, in the form that connect-node does:
 * empty is none, signs are allowed, and what is not above 0 is over already. Anything else is left as it is, to
 * be refused.
 */
export function goTimeout(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined || text === '') return undefined;
  if (text.length > 10 || !/^[+-]?\d+$/.test(text)) return text;
  return String(Math.min(Math.max(Number(text), 0), longestMs));
}
