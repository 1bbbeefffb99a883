import { type E2BEdgeError, isE2BEdgeError } from '../errors.js';
import type { Backoff } from './backoff.js';
import { takeRetry } from './retry-budget.js';

/** The longest that a server can make a call wait for its next attempt, in milliseconds. */
const longestWaitMs = 60_000;

/** Where a call stands when an attempt has failed. */
export interface FailedAttempt {
  /** The server's origin, whose budget is used. */
  origin: string;
  /** Whether the request may be executed twice. */
  idempotent: boolean;
  /** Whether its body can be sent again. */
  resendable: boolean;
  backoff: Backoff;
  /** How much time the call has left, in milliseconds. */
  remainingMs: number;
}

/**
 * How long to wait before the next attempt, in milliseconds; undefined where there must be none. By phase:
 * - no connection was made, or the server said 429: nothing was done, so any request is sent again;
 * - it may have been executed: idempotent ones alone;
 * - the server is in trouble (502, 503, 504): idempotent ones alone.
 */
export function retryDelay(error: unknown, attempt: FailedAttempt): number | undefined {
  if (!isE2BEdgeError(error) || !mayPass(error, attempt)) return undefined;
  const { origin, idempotent, resendable, backoff, remainingMs } = attempt;
  const harmless = idempotent || (!error.uncertain && error.statusCode !== 503);
  if (!resendable || !harmless) return undefined;
  const { retryAfterMs } = error;
  const jitterMs = backoff.next();
  // The jitter too, so that all who were told the same do not come back at the same moment.
  const delayMs = (retryAfterMs ?? 0) + jitterMs;
  if (delayMs > Math.min(remainingMs, longestWaitMs)) return undefined;
  // A server that says when to come back sets the pace itself.
  return retryAfterMs !== undefined || takeRetry(origin) ? delayMs : undefined;
}

/** Whether the same call may be made again without harm, and may work then. */
export function isRetryable(
  error: E2BEdgeError,
  attempt: Pick<FailedAttempt, 'idempotent' | 'resendable'>,
): boolean {
  const { idempotent, resendable } = attempt;
  const passes = error.retryable || error.code === 'request_timeout' || mayPass(error, attempt);
  return passes && resendable && (idempotent || !error.uncertain);
}

/** Whether the trouble is one that passes. That a sandbox has ended does not, whatever its status. */
function mayPass(
  { code, statusCode }: E2BEdgeError,
  { idempotent }: Pick<FailedAttempt, 'idempotent'>,
): boolean {
  // The same request came before, and its answer is being made.
  if (code === 'idempotency_in_progress') return idempotent;
  if (code === 'sandbox_ended' || code === 'sandbox_not_found') return false;
  return statusCode === undefined
    ? code === 'connection_failed' || code === 'connection_lost'
    : [429, 502, 503, 504].includes(statusCode);
}
