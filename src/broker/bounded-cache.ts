/**
 * Values that are good for a while, at most `max` of them. It holds values and never promises: workerd does not
 * let one request wait for what another one has started.
 */
export interface BoundedCache<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
}

/** @param ttlMs how long a value is good for, in milliseconds, from when it was set. */
export function createBoundedCache<T>(ttlMs: number, max: number): BoundedCache<T> {
  const entries = new Map<string, { value: T; until: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      return entry && entry.until > Date.now() ? entry.value : undefined;
    },
    set(key, value) {
      entries.delete(key);
      if (entries.size >= max) entries.delete(entries.keys().next().value as string);
      entries.set(key, { value, until: Date.now() + ttlMs });
    },
    delete(key) {
      entries.delete(key);
    },
  };
}
