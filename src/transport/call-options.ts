import { InvalidArgumentError } from '../errors.js';

/** Options of every call that touches the network. */
export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * How long to wait for the first answer, in milliseconds. Default 60 000; 0 waits for ever. It never limits
   * how long a stream, a transfer or a process may go on after that.
   */
  requestTimeoutMs?: number;
}

/** Those of some options that concern any call. */
export function callOptions({ signal, requestTimeoutMs }: CallOptions): CallOptions {
  return { ...(signal && { signal }), ...(requestTimeoutMs !== undefined && { requestTimeoutMs }) };
}

/** The limit of `requestTimeoutMs` where none is given, in milliseconds. */
export const defaultRequestTimeoutMs = 60_000;

/** A timer that is set to more than this goes off at once: 24 days, in milliseconds. */
export const maxTimerMs: number = 2 ** 31 - 1;

/**
 * A time limit that a timer can be set to; 0 is none. `Infinity`, and what no timer can count, is none as well.
 * @param name of the option, for the message.
 * @throws {InvalidArgumentError} it is below 0, or not a number.
 */
export function timeLimit(ms: number, name: string): number {
  if (typeof ms !== 'number' || !(ms >= 0)) {
    throw new InvalidArgumentError(
      `${name} is ${ms}: it must be a number of milliseconds, or 0 for no limit.`,
    );
  }
  return ms > maxTimerMs ? 0 : ms;
}
