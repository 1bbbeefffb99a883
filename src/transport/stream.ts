import type { Deadline } from './deadline.js';
import { connectionLost } from './http-error.js';
import { watchSilence } from './silence.js';

/** A server's stream whose first message is here. */
export interface OpenStream<T> {
  first: T;
  /** The messages after the first. Leaving the loop cancels the stream on the server's side as well. */
  rest: AsyncGenerator<T, void, undefined>;
  /** Cancels the stream, also while a message is awaited; `rest` then ends as if the server had ended it. */
  cancel(): void;
}

/**
 * Waits for the first message of a stream, for as long as the deadline allows; after that only the caller's signal and
 * the server end it. A stream's own `return` waits for the message that is awaited; `cancel` does not.
 * @param maxSilenceMs a stream that is silent for longer while it is read counts as lost; 0: it may be silent for ever.
 */
export async function openStream<T>(
  stream: AsyncIterable<T>,
  deadline: Deadline,
  maxSilenceMs = 0,
): Promise<OpenStream<T>> {
  let cancelled = false;
  const messages = stream[Symbol.asyncIterator]();
  const silence = watchSilence(maxSilenceMs, () =>
    deadline.cancel(connectionLost(new Error(`nothing was heard for ${maxSilenceMs} ms`))),
  );
  const cancel = (): void => {
    silence.end();
    if (cancelled) return;
    cancelled = true;
    deadline.cancel();
    deadline.end();
    void drain(messages);
  };

  const first = await messages.next();
  if (first.done) throw connectionLost(new Error('the stream ended before its first message'));
  deadline.met();

  async function* rest(): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        silence.begin();
        const next = await messages.next();
        silence.broken();
        if (next.done || cancelled) return;
        yield next.value;
      }
    } catch (error) {
      if (!cancelled) throw deadline.signal.aborted ? deadline.signal.reason : error;
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
