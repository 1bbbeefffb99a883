import type { CallOptions } from './call-options.js';
import { startDeadline } from './deadline.js';
import { rpcError } from './rpc.js';

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
 * server end it. connect-web does not cancel a stream that a `for await` leaves; this does.
 */
export async function openStream<T>(
  call: (signal: AbortSignal) => AsyncIterable<T>,
  options: CallOptions,
  what: string,
): Promise<OpenStream<T>> {
  const deadline = startDeadline(options, what);
  let cancelled = false;
  const fail = (error: unknown): unknown =>
    deadline.signal.aborted ? deadline.signal.reason : rpcError(error);
  const cancel = (): void => {
    cancelled = true;
    deadline.cancel();
    deadline.end();
  };

  const messages = call(deadline.signal)[Symbol.asyncIterator]();
  let first: IteratorResult<T>;
  try {
    first = await messages.next();
    if (first.done) throw new Error('the stream ended before its first message');
    deadline.met();
  } catch (error) {
    deadline.end();
    throw fail(error);
  }

  async function* rest(): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        const next = await messages.next();
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
