/** How long to wait before the next attempt to connect. */
export interface Backoff {
  /** The next wait, in milliseconds. */
  next(): number;
  /** Starts again from the first wait: call it once a connection has proven itself. */
  reset(): void;
}

export interface BackoffOptions {
  /** The most that the first wait may be, in milliseconds. Default 250. */
  firstMs?: number;
  /** The most that any wait may be, in milliseconds. Default 10 000. */
  maxMs?: number;
  /** From 0 to below 1. Default `Math.random`. */
  random?: () => number;
}

/**
 * Exponential backoff with full jitter: each wait is drawn from 0 to a ceiling, which doubles. When a broker
 * restarts, its thousand clients then come back spread out, not all at once.
 */
export function createBackoff(options: BackoffOptions = {}): Backoff {
  const { firstMs = 250, maxMs = 10_000, random = Math.random } = options;
  let ceiling = firstMs;
  return {
    next() {
      const wait = random() * ceiling;
      ceiling = Math.min(ceiling * 2, maxMs);
      return wait;
    },
    reset() {
      ceiling = firstMs;
    },
  };
}
