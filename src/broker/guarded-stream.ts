/** A stream that is let through for as long as its session lasts. */

import { type SessionLife, watchLife } from './session-life.js';

/**
 * Passes a stream on at the pace of its reader, and shows each piece to `onChunk`. Where it is ended early it breaks
 * off, which the reader takes for a lost connection: it comes back with its token, and is told then what is the matter.
 */
export function guardStream(
  body: ReadableStream<Uint8Array>,
  life: SessionLife,
  onChunk?: (chunk: Uint8Array) => void,
): ReadableStream<Uint8Array> {
  const { keepAlive } = life;
  const reader = body.getReader();
  let stopWatching = (): void => {};
  let keeping: ReturnType<typeof setInterval> | undefined;
  const settle = (): void => {
    stopWatching();
    clearInterval(keeping);
  };

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        stopWatching = watchLife(life, (reason) => {
          settle();
          controller.error(reason);
          // What is upstream is to know as well; that it fails is nobody's concern any more.
          reader.cancel(reason).catch(() => undefined);
        });
        if (keepAlive) {
          // A sandbox that cannot be kept ends, and its streams with it: they tell.
          const extend = (): void => void keepAlive.extend().catch(() => undefined);
          extend();
          keeping = setInterval(extend, keepAlive.everyMs);
        }
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            settle();
            controller.close();
          } else {
            onChunk?.(value);
            controller.enqueue(value);
          }
        } catch (error) {
          settle();
          controller.error(error);
        }
      },
      cancel(reason) {
        settle();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
