/** A request of `node:http` as one of the web. */

import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** How much of a body is read ahead of who takes it, in bytes. */
const readAheadBytes = 64 * 1024;

/**
 * Undefined for what HTTP allows and the web does not, as the method TRACE.
 * @param signal aborted when the caller is gone.
 */
export function nodeRequest(message: IncomingMessage, signal: AbortSignal): Request | undefined {
  const method = message.method ?? 'GET';
  const hasBody = method !== 'GET' && method !== 'HEAD';
  try {
    const init: RequestInit & { duplex?: 'half' } = { method, headers: nodeHeaders(message), signal };
    if (hasBody) Object.assign(init, { body: nodeBody(message), duplex: 'half' });
    return new Request(nodeUrl(message), init);
  } catch {
    return undefined;
  }
}

/**
 * The host is the caller's word, which previews alone go by, and the scheme a guess. A host that brings a path along
 * would be one that nobody before the broker has seen.
 */
function nodeUrl(message: IncomingMessage): URL {
  const scheme = (message.socket as Partial<TLSSocket>).encrypted ? 'https' : 'http';
  const path = message.url?.startsWith('/') ? message.url : '/';
  const { host = '' } = message.headers;
  const isHost = !/[/\\?#]/.test(host) && URL.canParse(`${scheme}://${host}`);
  // Joined as text: by itself a path that begins with two slashes is a host.
  return new URL(`${scheme}://${isHost ? host : 'localhost'}${path}`);
}

function nodeHeaders(message: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] as string, message.rawHeaders[index + 1] as string);
  }
  return headers;
}

/**
 * Not `Readable.toWeb`: cancelling that destroys the socket, and with it the answer that says why the body was not
 * wanted.
 */
function nodeBody(message: IncomingMessage): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        message.pause();
        message.on('data', (chunk: Buffer) => {
          controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
          if ((controller.desiredSize ?? 0) <= 0) message.pause();
        });
        message.once('end', () => controller.close());
        message.once('error', (error) => controller.error(error));
      },
      pull() {
        message.resume();
      },
      cancel() {
        message.removeAllListeners('data');
        message.removeAllListeners('end');
        message.resume();
      },
    },
    { highWaterMark: readAheadBytes, size: (chunk) => chunk?.byteLength ?? 0 },
  );
}
