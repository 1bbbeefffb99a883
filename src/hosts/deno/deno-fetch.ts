import type { FetchLike } from '../../transport/authorized-fetch.js';

/**
 * Deno's `fetch`, but for calls with a body of bytes: where a kept connection dies unanswered it sends those once more, and
 * input would be executed twice. A stream is there only once.
 */
export const denoFetch: FetchLike = (url, init) =>
  globalThis.fetch(url, init.body instanceof Uint8Array ? { ...init, body: streamOf(init.body) } : init);

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
