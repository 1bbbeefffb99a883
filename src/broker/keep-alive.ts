/** Puts off the end of sandboxes that somebody is attached to. */

import { createBoundedCache } from './bounded-cache.js';
import { askControlPlane } from './control-plane.js';
import type { SessionClaims } from './session-token.js';
import type { Credentials } from './settings.js';

/** Extends the session's sandbox, if its session may and nobody did within the last half minute. */
export type KeepAlive = (claims: SessionClaims, credentials: Credentials) => Promise<void>;

const throttleMs = 30_000;
const maxSandboxes = 1000;
/** The control plane takes no more at once. It never brings an end nearer. */
const maxSeconds = 3600;

export function createKeepAlive(): KeepAlive {
  const extended = createBoundedCache<true>(throttleMs, maxSandboxes);
  return async ({ sbx, keep }, { control }) => {
    if (keep === undefined || extended.get(sbx)) return;
    extended.set(sbx, true);
    try {
      await askControlPlane(() => control.extend(sbx, Math.min(keep, maxSeconds)));
    } catch (error) {
      extended.delete(sbx);
      throw error;
    }
  };
}
