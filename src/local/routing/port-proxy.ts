import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { clientHeaders, forwardedTrailers, hasBody, serviceHeaders } from './forwarded-headers.js';

/** Services that send long cookies; Node's own limit is 16 KiB. */
const longestAnswerHeaders = 256 << 10;

/**
 * Passes one request on to a service, over a connection that is used for nothing else: a service that was restarted
 * is found again, and no request can hide in another. `onFailure` is called when no answer comes.
 */
export function forwardToService(
  connection: Duplex,
  request: IncomingMessage,
  response: ServerResponse,
  mask: string | undefined,
  onFailure: () => void,
): void {
  const sent = openRequest(connection, request, [
    ...serviceHeaders(request, mask),
    'Connection',
    'keep-alive',
  ]);
  relayAnswerOf(sent, request, response);
  // A service that changes the protocol unasked.
  sent.once('upgrade', () => connection.destroy());
  // 'close' says so, too.
  sent.once('error', () => {});
  sent.once('close', () => {
    connection.destroy();
    request.unpipe(sent);
    // What still comes of a body that nobody wants must not fill the client's connection.
    request.resume();
    if (!response.headersSent && !response.destroyed) onFailure();
  });
  response.once('close', () => {
    if (!response.writableFinished) sent.destroy();
  });
  sendBody(request, sent);
}

/** A request over this connection; it is sent when its body begins or ends. */
export function openRequest(
  connection: Duplex,
  { method, url }: IncomingMessage,
  headers: readonly string[],
): ClientRequest {
  return httpRequest({
    createConnection: () => connection,
    ...(method !== undefined && { method }),
    ...(url !== undefined && { path: url }),
    headers,
    maxHeaderSize: longestAnswerHeaders,
  });
}

/** Passes the answer on when it comes. One that no client would understand is an error of the request. */
export function relayAnswerOf(sent: ClientRequest, request: IncomingMessage, response: ServerResponse): void {
  sent.once('response', (answer) => {
    const { statusCode = 0 } = answer;
    // Node reads any three digits as a status, and refuses to send such a one.
    if (statusCode < 100) sent.destroy(new Error(`a service answered with status ${statusCode}`));
    else relayAnswer(answer, statusCode, request, response);
  });
}

/** Passes an answer on as it comes. One that is cut off is cut off for the client, too. */
function relayAnswer(
  answer: IncomingMessage,
  status: number,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.sendDate = false;
  // The phrase is for people, and Node reads control characters in it that it refuses to send.
  const phrase = answer.statusMessage?.replaceAll(/[^\t -~\u0080-\u00ff]/g, ' ');
  response.writeHead(status, phrase, answerHeaders(answer, status, request));
  // An event stream's first event may be long in coming.
  response.flushHeaders();
  answer.once('end', () => response.addTrailers(forwardedTrailers(answer)));
  answer.pipe(response);
  answer.once('error', () => response.destroy());
  answer.once('close', () => {
    if (!answer.complete) response.destroy();
  });
}

/** Trailers are announced only where the client's protocol has them: Node refuses anything else. */
function answerHeaders(answer: IncomingMessage, status: number, request: IncomingMessage): string[] {
  const { trailer, 'transfer-encoding': encoding } = answer.headers;
  const hasBody = request.method !== 'HEAD' && status !== 204 && status !== 304;
  const canTrail = encoding !== undefined && request.httpVersion === '1.1' && hasBody;
  return [...clientHeaders(answer), ...(canTrail && trailer !== undefined ? ['Trailer', trailer] : [])];
}

/** By hand, because `pipeline` would destroy the client's socket when the service answers before the body's end. */
function sendBody(request: IncomingMessage, sent: ClientRequest): void {
  if (!hasBody(request)) {
    sent.end();
    return;
  }
  request.once('end', () => sent.addTrailers(forwardedTrailers(request)));
  request.pipe(sent);
  request.once('error', () => sent.destroy());
}
