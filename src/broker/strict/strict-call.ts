/** One operation on files in strict mode: done by the session's user, and not by envd as root. */

import type { Upstream } from '../envd-upstream.js';
import type { Exchange } from '../exchange.js';
import type { FullGrant } from '../grant.js';
import type { SessionClaims } from '../session-token.js';

/** The session's way to its files. Paths are absolute, plain, and within a prefix by their text. */
export interface StrictCall {
  upstream: Upstream;
  grant: FullGrant;
  signal: AbortSignal;
  /** Of a Worker: what is still to be done once the page has gone. */
  waitUntil?: (work: Promise<unknown>) => void;
}

export function strictCall<Env>(
  { request, context: { ctx } }: Exchange<Env>,
  { g: grant }: SessionClaims,
  upstream: Upstream,
): StrictCall {
  return {
    upstream,
    grant,
    signal: request.signal,
    ...(ctx && { waitUntil: (work) => ctx.waitUntil(work) }),
  };
}
