import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { Machine } from '../machine/machine.js';

/** Of one connection, not of the message; and what is none of envd's business. */
const notForwarded = new Set([
  'connection',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-access-token',
  'x-api-key',
]);

/** Passes a request on to envd and its answer back. `onGone` is called when envd is not there to take it. */
export function forward(
  machine: Pick<Machine, 'request' | 'cancel'>,
  request: IncomingMessage,
  response: ServerResponse,
  onGone: () => void,
): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  let stream: ClientHttp2Stream;
  try {
    stream = machine.request(requestHeaders(request), { endStream: !hasBody });
  } catch {
    onGone();
    return;
  }
  const cancel = (): void => machine.cancel(stream);
  if (hasBody) send(request, stream, cancel);
  stream.once('response', (headers) => {
    const { ':status': status = 502, ...rest } = headers;
    try {
      response.writeHead(status, withoutPseudo(rest));
    } catch {
      // Programs of the sandbox can take envd over, and then answer what HTTP/1.1 does not know. What Node has
      // taken of that into the response would spoil an answer of ours as well.
      response.destroy();
      return;
    }
    const length =
      rest['content-length'] === undefined ? Number.POSITIVE_INFINITY : Number(rest['content-length']);
    if (length === 0) response.end();
    // A stream that waits for its first event must not keep the headers back.
    else response.flushHeaders();
    relay(stream, response, length);
  });
  // 'close' says so, also when the session ended without an error of this stream's.
  stream.once('error', () => {});
  stream.once('close', () => {
    if (response.destroyed) return;
    if (!response.headersSent) onGone();
    else if (!response.writableEnded) response.destroy();
  });
  response.once('close', () => {
    if (!response.writableFinished) cancel();
  });
}

/**
 * Passes on the answer's body, joining what arrives in one turn. HTTP/2 frames are 16 KiB, and Node 20's `fetch`
 * takes twenty times as long to unpack a gzip body that comes in such small pieces.
 */
function relay(stream: ClientHttp2Stream, response: ServerResponse, length: number): void {
  let pending: Buffer[] = [];
  let left = length;
  const flush = (): void => {
    if (pending.length === 0) return;
    const joined = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
    pending = [];
    left -= joined.length;
    // The client has it all now and may use its connection for something else, which is not to be cut off with envd.
    if (left === 0) response.end(joined);
    if (left === 0 || response.write(joined)) return;
    stream.pause();
    response.once('drain', () => stream.resume());
  };
  stream.on('data', (chunk: Buffer) => {
    if (pending.push(chunk) === 1) setImmediate(flush);
  });
  stream.once('end', () => {
    flush();
    if (response.writableEnded) return;
    // A reset is no end: the client must see that the body is not whole.
    if (stream.rstCode === constants.NGHTTP2_NO_ERROR && !stream.aborted) response.end();
    else response.destroy();
  });
}

/** By hand, because `pipeline` would destroy the client's socket when envd answers before the body's end. */
function send(request: IncomingMessage, stream: ClientHttp2Stream, cancel: () => void): void {
  request.pipe(stream);
  request.once('error', cancel);
  stream.once('close', () => {
    request.unpipe(stream);
    request.resume();
  });
}

function requestHeaders(request: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    ':method': request.method,
    ':path': request.url,
    ':scheme': 'http',
    ':authority': 'envd',
  };
  for (const [name, value] of Object.entries(request.headers)) {
    if (!notForwarded.has(name)) headers[name] = value;
  }
  return headers;
}

function withoutPseudo(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
}
