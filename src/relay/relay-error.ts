/** How an error is told to a page: with its code, and with a message only where that holds nothing internal. */

import {
  AuthenticationError,
  ConnectionError,
  type E2BEdgeError,
  InvalidArgumentError,
  isE2BEdgeError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from '../errors.js';
import { PtyClose } from '../wire/pty-close.js';
import type { Refusal } from '../wire/pty-messages.js';

export interface Closing {
  closeCode: number;
  refusal: Refusal;
}

export const replaced: Refusal = {
  code: 'replaced',
  message: 'A newer socket of the same client took over.',
  retryable: false,
};

/** How soon one who was turned away because of a limit may come again, in milliseconds. */
const retryAfterMs = 2_000;

/** A limit was reached; it is said of what. */
export function tooMany(what: string, code: 'too_many_sockets' | 'too_many_terminals'): E2BEdgeError {
  return new RateLimitError(`There are too many ${what}. Close one, or come again later.`, {
    code,
    retryAfterMs,
  });
}

/** The close code and the ERROR frame for an error. */
export function closingFor(error: unknown): Closing {
  if (!isE2BEdgeError(error)) {
    return closing(PtyClose.goingAway, {
      code: 'internal',
      message: 'The relay failed. Its log has more.',
      retryable: true,
    });
  }
  const { code, message, retryAfterMs } = error;
  const closeCode = closeCodeFor(error);
  const retryable = closeCode === PtyClose.goingAway || closeCode === PtyClose.limits;
  const known = error instanceof AuthenticationError || !retryable || error instanceof RateLimitError;
  return closing(closeCode, {
    code,
    message: known && message !== '' ? message : 'The terminal cannot be reached now.',
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.max(0, Math.round(retryAfterMs)) }),
  });
}

/** What a sandbox cannot give now, it cannot give to one who comes again either. */
const unservable: readonly string[] = ['durable_unavailable', 'envd_too_old', 'not_enough_space'];

function closeCodeFor(error: E2BEdgeError): number {
  if (error instanceof AuthenticationError) return PtyClose.token;
  if (error instanceof PermissionDeniedError) return PtyClose.notGranted;
  if (error instanceof NotFoundError) return PtyClose.notFound;
  if (error instanceof RateLimitError) return PtyClose.limits;
  if (error instanceof InvalidArgumentError || error.code === 'protocol_error') return PtyClose.protocol;
  if (unservable.includes(error.code)) return PtyClose.protocol;
  return PtyClose.goingAway;
}

function closing(closeCode: number, refusal: Refusal): Closing {
  return { closeCode, refusal };
}

export function wentAway(): ConnectionError {
  return new ConnectionError('The terminal went away.', { code: 'connection_lost' });
}
