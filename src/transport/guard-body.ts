import { TimeoutError } from '../errors.js';
import { timeLimit } from './call-options.js';

export interface GuardOptions {
  /** The longest wait for the next piece while the reader wants one, in milliseconds; 0 waits for ever. */
  idleTimeoutMs: number;
  /** The body was read to its end, broke off, or was cancelled. */
  onEnd(): void;
  /** What the reader gets to see of a failure. */
  toError(error: unknown): Promise<unknown>;
}

/** A body that tells its reader what went wrong in this package's errors, and does not hang. */
export function guardBody(
  body: ReadableStream<Uint8Array>,
  options: GuardOptions,
): ReadableStream<Uint8Array> {
  const idleTimeoutMs = timeLimit(options.idleTimeoutMs, 'streamIdleTimeoutMs');
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await withIdleLimit(reader.read(), idleTimeoutMs);
          if (!done) return controller.enqueue(value);
          options.onEnd();
          controller.close();
        } catch (error) {
          controller.error(await options.toError(error));
          options.onEnd();
          await reader.cancel(error).catch(() => undefined);
        }
      },
      async cancel(reason) {
        options.onEnd();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

function withIdleLimit<T>(read: Promise<T>, ms: number): Promise<T> {
  if (ms <= 0) return read;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new TimeoutError(`The file's next bytes did not come within ${ms} ms (streamIdleTimeoutMs).`, {
          code: 'stream_idle',
        }),
      );
    }, ms);
    read.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
