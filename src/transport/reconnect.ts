import { isE2BEdgeError } from '../errors.js';
import { createBackoff } from './backoff.js';

export interface ReconnectOptions {
  /** For how long a try may be followed by another, in milliseconds; 0 for none at all. */
  maxMs: number;
  /** Ends the trying at once; it rejects with the signal's reason. */
  signal: AbortSignal;
  /** Hears of each try while it is waited for, and is given what ends the wait. */
  onAttempt?: (attempt: number, error: unknown, now: () => void) => void;
}

/**
 * Tries to come back to what was lost, until it works.
 * @param cause what it was lost by.
 * @throws the last error: one that trying does not heal, or the one at which the time was over.
 */
export async function reconnect<T>(
  connect: () => Promise<T>,
  cause: unknown,
  { maxMs, signal, onAttempt }: ReconnectOptions,
): Promise<T> {
  const until = Date.now() + maxMs;
  const backoff = createBackoff();
  let error = cause;
  // The first try is made whatever the clock says: a machine that was asleep comes back late.
  for (let attempt = 1; maxMs > 0 && (attempt === 1 || Date.now() < until); attempt++) {
    await pause(backoff.next(), signal, (now) => onAttempt?.(attempt, error, now));
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

/** Waits, for no longer than a signal allows. */
function pause(ms: number, signal: AbortSignal, onWait: (end: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', settle);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(settle, ms);
    signal.addEventListener('abort', settle);
    if (signal.aborted) settle();
    else onWait(settle);
  });
}
