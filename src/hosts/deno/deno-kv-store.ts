import type { SessionStore } from '../../broker/session-store.js';
import { InvalidArgumentError } from '../../errors.js';

/** What of Deno's `Kv` is used. */
export interface DenoKvLike {
  get(key: readonly string[]): Promise<{ value: unknown; versionstamp: string | null }>;
  set(key: readonly string[], value: unknown, options: { expireIn: number }): Promise<unknown>;
  atomic(): DenoKvAtomicLike;
}

export interface DenoKvAtomicLike {
  check(check: { key: readonly string[]; versionstamp: string | null }): DenoKvAtomicLike;
  set(key: readonly string[], value: unknown, options: { expireIn: number }): DenoKvAtomicLike;
  commit(): Promise<{ ok: boolean }>;
}

interface Entry {
  value: string;
  expiresAt: number;
}

/**
 * A store in Deno KV, below the key `e2b-edge`.
 *
 * <!-- example: not run, because it takes Deno -->
 * ```ts
 * import { createDenoKvStore } from 'e2b-edge/broker/deno'
 *
 * const store = createDenoKvStore(await Deno.openKv())
 * ```
 * @throws {InvalidArgumentError} code `invalid_option`: it is no Deno KV, as the promise of one.
 */
export function createDenoKvStore(kv: DenoKvLike): Required<SessionStore> {
  if (typeof kv?.atomic !== 'function') {
    throw new InvalidArgumentError('createDenoKvStore takes what `await Deno.openKv()` gives.', {
      code: 'invalid_option',
    });
  }
  const path = (key: string): string[] => ['e2b-edge', key];

  async function read(key: string): Promise<{ value: string | undefined; versionstamp: string | null }> {
    const { value, versionstamp } = await kv.get(path(key));
    const entry = value as Entry | null;
    // Deno may keep it for longer than it is good.
    return { value: entry && entry.expiresAt > Date.now() ? entry.value : undefined, versionstamp };
  }
  const lifetime = (expiresAt: number): { expireIn: number } => ({
    expireIn: Math.max(expiresAt - Date.now(), 1),
  });

  return {
    get: async (key) => (await read(key)).value,
    async set(key, value, expiresAt) {
      await kv.set(path(key), { value, expiresAt } satisfies Entry, lifetime(expiresAt));
    },
    async compareAndSet(key, expected, value, expiresAt) {
      for (;;) {
        const found = await read(key);
        if (found.value !== expected) return false;
        const { ok } = await kv
          .atomic()
          .check({ key: path(key), versionstamp: found.versionstamp })
          .set(path(key), { value, expiresAt } satisfies Entry, lifetime(expiresAt))
          .commit();
        // Else somebody wrote in between, or Deno took away what had run out: what is there now decides.
        if (ok) return true;
      }
    },
  };
}
