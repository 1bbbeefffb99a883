import type { SessionStore } from '../../broker/session-store.js';
import { InvalidArgumentError } from '../../errors.js';

/** What of a KV namespace is used. */
export interface KvNamespaceLike {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { expiration: number }): Promise<void>;
}

/** KV takes no earlier expiry than this, in seconds from now; the second more is for the way there. */
const minTtlSeconds = 61;

/**
 * A store in Cloudflare's Workers KV, for revocation alone: KV has no compare-and-set, so limits count in each isolate,
 * and an invitation for a single use is good until it ends. What is written is seen elsewhere a minute later, as a rule,
 * which adds to the 30 s within which open streams are cut. Prefer `createDurableObjectStore`.
 *
 * As an option of the broker: `store: (env) => createKvStore(env.REVOKED)`.
 * @throws {InvalidArgumentError} code `invalid_option`: nothing is bound.
 */
export function createKvStore(kv: KvNamespaceLike): SessionStore {
  if (typeof kv?.put !== 'function') {
    throw new InvalidArgumentError('createKvStore takes a KV namespace, as the binding REVOKED.', {
      code: 'invalid_option',
    });
  }
  return {
    async get(key) {
      const entry = await kv.get(key);
      if (entry === null) return undefined;
      const space = entry.indexOf(' ');
      // KV may keep it for longer than it is good.
      return Number(entry.slice(0, space)) > Date.now() ? entry.slice(space + 1) : undefined;
    },
    async set(key, value, expiresAt) {
      const earliest = Math.floor(Date.now() / 1000) + minTtlSeconds;
      const expiration = Math.max(Math.ceil(expiresAt / 1000), earliest);
      await kv.put(key, `${expiresAt} ${value}`, { expiration });
    },
  };
}
