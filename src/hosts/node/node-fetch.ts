import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { FetchLike } from '../../transport/authorized-fetch.js';

/**
 * Node's `fetch`, but for streams that may be answered by a redirect: it keeps a copy of all that is sent of these, to be
 * able to follow. Here redirects are never followed, so such a stream is sent by `node:http`, which keeps nothing.
 */
export const nodeFetch: FetchLike = (url, init) =>
  init.body instanceof ReadableStream && init.redirect === 'manual'
    ? sendStream(url, init, init.body)
    : globalThis.fetch(url, init);

/** What is cut short, or is nothing at all, gives what there is of it, as with `fetch`. */
const lenient = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const unpackers: Record<string, () => NodeJS.ReadWriteStream & Readable> = {
  br: () =>
    createBrotliDecompress({
      flush: constants.BROTLI_OPERATION_FLUSH,
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
    }),
  deflate: () => createInflate(lenient),
  gzip: () => createGunzip(lenient),
  'x-gzip': () => createGunzip(lenient),
};
/** Each costs memory, and nobody packs a thing so often. */
const maxCodings = 5;
const withoutBody: readonly number[] = [204, 205, 304];

function sendStream(
  url: string,
  { method = 'POST', headers, signal }: RequestInit,
  body: ReadableStream<Uint8Array>,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? requestHttps : requestHttp;
    const request = send(url, {
      method,
      // Said of every method: by itself Node sends the body of a DELETE without any bounds.
      headers: { ...Object.fromEntries(new Headers(headers)), 'transfer-encoding': 'chunked' },
      // A connection of its own: one that was kept may have died, and the body is there only once.
      agent: false,
      ...(signal && { signal }),
    });
    request.once('response', (answer) => {
      try {
        resolve(responseOf(answer));
      } catch (error) {
        request.destroy();
        reject(error);
      }
    });
    // After the answer has begun, its own end tells.
    request.on('error', reject);
    pipeline(Readable.fromWeb(body as NodeStream<Uint8Array>), request).catch(reject);
  });
}

function responseOf(answer: IncomingMessage): Response {
  const { statusCode: status = 502, statusMessage: statusText = '', rawHeaders } = answer;
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] as string, rawHeaders[index + 1] as string);
  }
  if (withoutBody.includes(status)) {
    answer.resume();
    return new Response(null, { status, statusText, headers });
  }
  const body = Readable.toWeb(unpacked(answer, headers)) as ReadableStream<Uint8Array>;
  return new Response(body, { status, statusText, headers });
}

/** As `fetch` does: what is left of the header says only that it was packed. What cannot be unpacked breaks off. */
function unpacked(answer: IncomingMessage, headers: Headers): Readable {
  const codings = (headers.get('content-encoding') ?? '').toLowerCase().split(',');
  const steps = codings.map((coding) => unpackers[coding.trim()]);
  let plain: Readable = answer;
  // The last one that was applied comes first.
  for (const unpack of steps.includes(undefined) || steps.length > maxCodings ? [] : steps.reverse()) {
    const next = (unpack as () => NodeJS.ReadWriteStream & Readable)();
    pipeline(plain, next).catch((error: Error) => next.destroy(error));
    plain = next;
  }
  return plain;
}
