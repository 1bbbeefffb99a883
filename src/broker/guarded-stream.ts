/** A stream that is let through for as long as its session lasts. */

import { sessionExpired } from './refusals.js';

/** What a stream ends with. */
export interface StreamLife {
  /** When it ends at the latest, in milliseconds since 1970. Absent where it may go on. */
  until?: number;
  /** Asked again and again; true ends the stream, and so does not being able to tell. Absent where nothing is revoked. */
  isOver?: () => Promise<boolean> | boolean;
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
  { until, isOver }: StreamLife,
  onChunk?: (chunk: Uint8Array) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let interval: ReturnType<typeof setInterval> | undefined;
  const settle = (): void => {
    clearTimeout(timer);
    clearInterval(interval);
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
        if (isOver) interval = setInterval(() => void ask(), askEveryMs);
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
