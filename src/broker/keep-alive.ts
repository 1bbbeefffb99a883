/** Puts off the end of sandboxes that somebody is attached to. */

import { createBoundedCache } from './bounded-cache.js';
import { askControlPlane } from './control-plane.js';
import type { SessionClaims } from './session-token.js';
import type { Credentials } from './settings.js';

/** Extends the session's sandbox, if its session may and nobody did since half of the interval. */
export type KeepAlive = (claims: SessionClaims, credentials: Credentials) => Promise<void>;

const longestIntervalMs = 60_000;
const maxSandboxes = 1000;
/** The control plane takes no more at once. It never brings an end nearer. */
const maxSeconds = 3600;

/** How often a sandbox has to be extended, in milliseconds: twice in its life, and at least every minute. */
export function keepAliveInterval({ keep }: SessionClaims): number {
  return keep === undefined ? longestIntervalMs : Math.min(Math.max(keep, 1) * 500, longestIntervalMs);
}

export function createKeepAlive(): KeepAlive {
  const extended = createBoundedCache<number>(longestIntervalMs, maxSandboxes);
  return async (claims, { control }) => {
    const { sbx, keep } = claims;
    if (keep === undefined) return;
    const last = extended.get(sbx);
    if (last !== undefined && Date.now() - last < keepAliveInterval(claims) / 2) return;
    extended.set(sbx, Date.now());
    try {
      await askControlPlane(() => control.extend(sbx, Math.min(keep, maxSeconds)));
    } catch (error) {
      extended.delete(sbx);
      throw error;
    }
  };
}
