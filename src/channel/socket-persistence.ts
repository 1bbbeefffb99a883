/** What a lost socket means: whether to come again, with which token and how soon, or that it is over. */

import { ConnectionError, E2BEdgeError, RateLimitError, ServiceBusyError, TimeoutError } from '../errors.js';
import type { SocketLoss } from '../transport/socket.js';
import { PtyClose } from '../wire/pty-close.js';
import type { Refusal } from '../wire/pty-messages.js';
import { isFinal, stopError } from './socket-stop.js';

export interface Verdict {
  /** It is over, for this reason. */
  stop?: Error;
  /** The attempts that have failed in a row. */
  attempt: number;
  /** Why the last one failed, where that is known. */
  error?: Error;
  /** Not before this time, in milliseconds. */
  holdOffMs?: number;
}

/** So many refused attempts in a row, about 4 s, and the relay counts as down while a terminal is opened. */
const maxRefusedAttempts = 5;
/**
 * The token of an open terminal may have been replaced since, so that the next one is not fresh; and a session that ends
 * just then has its fresh one refused as well.
 */
const maxRefusedTokens = 2;
const defaultHoldOffMs = 1_000;

export class Persistence {
  #attempt = 0;
  #refusedTokens = 0;
  #refused = 0;
  #error: Error | undefined;

  /** The last token was refused: the next one shall be a fresh one. */
  get refreshToken(): boolean {
    return this.#refusedTokens > 0;
  }

  /** The relay has welcomed the client. */
  settled(): void {
    this.#refusedTokens = 0;
    this.#attempt = 0;
    this.#refused = 0;
    this.#error = undefined;
  }

  judge({ code, opened, error }: SocketLoss, words: Refusal | undefined, opening: boolean): Verdict {
    this.#attempt++;
    this.#refused = opened ? 0 : this.#refused + 1;
    const attempt = this.#attempt;
    const isRevoked = words?.code === 'session_revoked';
    if (code === PtyClose.token) this.#refusedTokens++;
    if (isFinal(code) || isRevoked || this.#refusedTokens > maxRefusedTokens) {
      return { attempt, stop: stopError(code, words) };
    }
    if (error !== undefined && !mayHeal(error)) return { attempt, stop: error as Error };
    this.#error = (error as Error | undefined) ?? (words && stopError(code, words)) ?? this.#error;
    if (opening && this.#refused >= maxRefusedAttempts) {
      return { attempt, stop: this.openingFailed(`in ${maxRefusedAttempts} attempts`) };
    }
    return {
      attempt,
      ...(this.#error && { error: this.#error }),
      ...(code === PtyClose.limits && { holdOffMs: words?.retryAfterMs ?? defaultHoldOffMs }),
    };
  }

  /** The error for a terminal that could not be opened in time. */
  openingFailed(when: string): Error {
    const cause = this.#error;
    if (cause instanceof RateLimitError) return cause;
    return new ConnectionError(`The terminal's relay could not be reached ${when}.`, {
      code: 'connection_failed',
      ...(cause && { cause }),
    });
  }
}

/** Whether a failed preparation may work next time. What is no error of ours is taken for a network that is down. */
function mayHeal(error: unknown): boolean {
  if (!(error instanceof E2BEdgeError) || error.retryable) return true;
  return [ConnectionError, TimeoutError, RateLimitError, ServiceBusyError].some(
    (type) => error instanceof type,
  );
}
