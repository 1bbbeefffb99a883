/** A stream that is let through for as long as its session lasts. */

import { sessionExpired } from './refusals.js';

/** What a stream ends with. */
export interface StreamLife {
  /** When it ends at the latest, in milliseconds since 1970. Absent where it may go on. */
  until?: number;
  /** Asked again and again; true ends the stream, and so does not being able to tell. Absent where nothing is revoked. */
  isOver?: () => Promise<boolean> | boolean;
  /** Keeps the sandbox while the stream goes on: at its beginning, and then as often as said. Absent where nothing does. */
  keepAlive?: { everyMs: number; extend: () => Promise<void> };
}

const askEveryMs = 30_000;
/** A longer delay than a timer takes would run out at once. */
const maxDelayMs = 2 ** 31 - 1;

/**
 * Passes a stream on at the pace of its reader, and shows each piece to `onChunk`. Where it is ended early it breaks
 * off, which the reader takes for a lost connection: it comes back with its token, and is told then what is the matter.
 */
export function guardStream(
  body: ReadableStream<Uint8Array>,
  { until, isOver, keepAlive }: StreamLife,
  onChunk?: (chunk: Uint8Array) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const intervals: ReturnType<typeof setInterval>[] = [];
  const settle = (): void => {
    clearTimeout(timer);
    for (const interval of intervals) clearInterval(interval);
  };

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = (): void => {
          settle();
          const error = sessionExpired();
          controller.error(error);
          // What is upstream is to know as well; that it fails is nobody's concern any more.
          reader.cancel(error).catch(() => undefined);
        };
        const ask = async (): Promise<void> => {
          try {
            if (await isOver?.()) end();
          } catch {
            end();
          }
        };
        if (until !== undefined)
          timer = setTimeout(end, Math.min(Math.max(until - Date.now(), 0), maxDelayMs));
        if (isOver) intervals.push(setInterval(() => void ask(), askEveryMs));
        if (keepAlive) {
          // A sandbox that cannot be kept ends, and its streams with it: they tell.
          const extend = (): void => void keepAlive.extend().catch(() => undefined);
          extend();
          intervals.push(setInterval(extend, keepAlive.everyMs));
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
