import type { SessionStore } from '../session-store.js';

const sweepEveryMs = 60_000;

/** A store in the memory of this process: right for one long-lived server, not for Workers or several servers. */
export function createMemoryStore(): Required<SessionStore> {
  const entries = new Map<string, { value: string; expiresAt: number }>();
  let sweepAt = 0;

  function get(key: string): string | undefined {
    const entry = entries.get(key);
    return entry && entry.expiresAt > Date.now() ? entry.value : undefined;
  }

  function set(key: string, value: string, expiresAt: number): void {
    const now = Date.now();
    if (now >= sweepAt) {
      for (const [known, entry] of entries) if (entry.expiresAt <= now) entries.delete(known);
      sweepAt = now + sweepEveryMs;
    }
    entries.set(key, { value, expiresAt });
  }

  return {
    get,
    set,
    compareAndSet(key, expected, value, expiresAt) {
      if (get(key) !== expected) return false;
      set(key, value, expiresAt);
      return true;
    },
  };
}
