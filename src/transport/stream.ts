import type { CallOptions } from './call-options.js';
import { startDeadline } from './deadline.js';
import { connectionLost } from './http-error.js';
import { rpcError } from './rpc.js';

export interface StreamOptions extends CallOptions {
  /**
   * A stream that is silent for longer while it is read counts as lost, in milliseconds. Set it above the interval of
   * the server's keepalives; default: it may be silent for ever.
   */
  maxSilenceMs?: number;
}

/** A server's stream whose first message is here. */
export interface OpenStream<T> {
  first: T;
  /** The messages after the first. Leaving the loop cancels the stream on the server's side as well. */
  rest: AsyncGenerator<T, void, undefined>;
  /** Cancels the stream, also while a message is awaited; `rest` then ends as if the server had ended it. */
  cancel(): void;
}

/**
 * Opens a stream and waits for its first message, for `requestTimeoutMs` at most; after that only `signal` and the
 * server end it. A `for await` that leaves connect's own stream does not cancel it; this does.
 */
export async function openStream<T>(
  call: (signal: AbortSignal) => AsyncIterable<T>,
  options: StreamOptions,
  what: string,
): Promise<OpenStream<T>> {
  const deadline = startDeadline(options, what);
  let cancelled = false;
  const fail = (error: unknown): unknown =>
    deadline.signal.aborted ? deadline.signal.reason : rpcError(error);
  const messages = call(deadline.signal)[Symbol.asyncIterator]();
  const cancel = (): void => {
    if (cancelled) return;
    cancelled = true;
    deadline.cancel();
    deadline.end();
    void drain(messages);
  };

  let first: IteratorResult<T>;
  try {
    first = await messages.next();
    if (first.done) throw new Error('the stream ended before its first message');
    deadline.met();
  } catch (error) {
    deadline.end();
    throw fail(error);
  }

  const { maxSilenceMs = 0 } = options;
  async function nextMessage(): Promise<IteratorResult<T>> {
    if (maxSilenceMs <= 0) return messages.next();
    const silence = new Error(`nothing was heard for ${maxSilenceMs} ms`);
    const timer = setTimeout(() => deadline.cancel(connectionLost(silence)), maxSilenceMs);
    return messages.next().finally(() => clearTimeout(timer));
  }

  async function* rest(): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        const next = await nextMessage();
        if (next.done || cancelled) return;
        yield next.value;
      }
    } catch (error) {
      if (!cancelled) throw fail(error);
    } finally {
      cancel();
    }
  }
  return { first: first.value, rest: rest(), cancel };
}

/** Takes note of how an aborted stream ends: a rejection that nobody handles ends a Node program. */
async function drain(messages: AsyncIterator<unknown>): Promise<void> {
  try {
    while (!(await messages.next()).done);
  } catch {
    // That it was aborted.
  }
}
