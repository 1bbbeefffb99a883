import { TimeoutError } from '../errors.js';
import { type CallOptions, defaultRequestTimeoutMs, timeLimit } from './call-options.js';

/** A wait for the first answer: cut short by the caller's signal, or by the time running out. */
export interface Deadline {
  /** Aborts the call: by the caller, by the time, or by `cancel`. */
  signal: AbortSignal;
  /** The first answer is here: the time no longer counts, the caller's signal still does. */
  met(): void;
  /** The call is over: everything that it held is let go. */
  end(): void;
  /** Aborts the call from inside. */
  cancel(reason?: unknown): void;
  /** How much of the time is left, in milliseconds; `Infinity` where there is no limit. */
  remainingMs(): number;
}

/**
 * Starts the clock of a call.
 * @param what names the call in the message of the TimeoutError, as in `commands.run`.
 * @throws the reason of a signal that is aborted already.
 */
export function startDeadline(options: CallOptions, what: string): Deadline {
  const { signal: outer } = options;
  const limitMs = timeLimit(options.requestTimeoutMs ?? defaultRequestTimeoutMs, 'requestTimeoutMs');
  outer?.throwIfAborted();
  const controller = new AbortController();
  const onOuterAbort = (): void => controller.abort(outer?.reason);
  outer?.addEventListener('abort', onOuterAbort, { once: true });
  const began = performance.now();
  const timer =
    limitMs > 0 ? setTimeout(() => controller.abort(requestTimeout(what, limitMs)), limitMs) : undefined;
  return {
    signal: controller.signal,
    met: () => clearTimeout(timer),
    end: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onOuterAbort);
    },
    cancel: (reason) => controller.abort(reason),
    remainingMs: () => (limitMs > 0 ? limitMs - (performance.now() - began) : Number.POSITIVE_INFINITY),
  };
}

/** Runs a call that has one answer under a deadline. */
export async function withDeadline<T>(
  options: CallOptions,
  what: string,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = startDeadline(options, what);
  try {
    return await call(deadline.signal);
  } catch (error) {
    throw deadline.signal.aborted ? deadline.signal.reason : error;
  } finally {
    deadline.end();
  }
}

/** Waits for something that cannot be cancelled for no longer than a signal allows. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}

/** Waits; rejects at once with the signal's reason when that is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return abortable(wait, signal).finally(() => clearTimeout(timer));
}

function requestTimeout(what: string, ms: number): TimeoutError {
  return new TimeoutError(
    `${what}: no answer within ${ms} ms. Pass a longer requestTimeoutMs, or 0 to wait for ever.`,
    { code: 'request_timeout', uncertain: true },
  );
}
