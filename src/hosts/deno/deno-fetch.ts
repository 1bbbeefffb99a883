import type { FetchLike } from '../../transport/authorized-fetch.js';

/**
 * Deno's `fetch`, but for envd's procedures: where a kept connection dies unanswered it sends a body of bytes once more, and
 * input would be executed twice. A stream is there only once. What is for an app of the sandbox keeps its length, which
 * a stream loses.
 */
export const denoFetch: FetchLike = (url, init) =>
  globalThis.fetch(url, isCall(init) ? { ...init, body: streamOf(init.body) } : init);

function isCall(init: RequestInit): init is RequestInit & { body: Uint8Array } {
  return init.body instanceof Uint8Array && new Headers(init.headers).has('connect-protocol-version');
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
