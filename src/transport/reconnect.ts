import { isE2BEdgeError } from '../errors.js';
import { createBackoff } from './backoff.js';
import { pause } from './deadline.js';

export interface ReconnectOptions {
  /** For how long a try may be followed by another, in milliseconds; 0 for none at all. */
  maxMs: number;
  /** Ends the trying at once; it rejects with the signal's reason. */
  signal: AbortSignal;
}

/**
 * Tries to come back to what was lost, until it works.
 * @param cause what it was lost by.
 * @throws the last error: one that trying does not heal, or the one at which the time was over.
 */
export async function reconnect<T>(
  connect: () => Promise<T>,
  cause: unknown,
  { maxMs, signal }: ReconnectOptions,
): Promise<T> {
  const until = Date.now() + maxMs;
  const backoff = createBackoff();
  let error = cause;
  // The first try is made whatever the clock says: a machine that was asleep comes back late.
  for (let attempt = 1; maxMs > 0 && (attempt === 1 || Date.now() < until); attempt++) {
    await pause(backoff.next(), signal);
    try {
      return await connect();
    } catch (next) {
      signal.throwIfAborted();
      error = next;
      if (!mayHeal(error)) break;
    }
  }
  throw error;
}

/** Whether connecting again may help: not when what is sought, the sandbox or the right to it is gone. */
export function mayHeal(error: unknown): boolean {
  return isE2BEdgeError(error) && (error.uncertain || error.retryable);
}
