import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Sandbox } from '../control/sandbox.js';
import { replyError } from '../http/replies.js';
import { connectPort } from './connect-port.js';
import { notHttp, portClosed, replyProxyError, sandboxNotFound } from './proxy-error.js';

/** Passes a request on over the connection that was opened for it. */
export type Forward = (
  connection: Duplex,
  request: IncomingMessage,
  response: ServerResponse,
  mask: string | undefined,
  onFailure: () => void,
) => void;

/**
 * Answers a request to a port of a sandbox that is not envd's. The service there answers for itself, with whatever
 * headers it likes; only what keeps it from being reached is said here.
 */
export async function answerPort(
  request: IncomingMessage,
  response: ServerResponse,
  sandbox: Sandbox,
  port: number,
  forward: Forward,
): Promise<void> {
  if (!request.url?.startsWith('/') && !(request.method === 'OPTIONS' && request.url === '*')) {
    // The address of another server, in the form that is for proxies.
    replyError(response, 400, `'${request.url}' is not a path`);
    return;
  }
  const left = new AbortController();
  response.once('close', () => left.abort());
  let connection: Duplex | undefined;
  try {
    connection = await connectPort(sandbox.machine, port, left.signal);
  } catch {
    if (!left.signal.aborted) replyProxyError(request, response, sandboxNotFound(sandbox.id));
    return;
  }
  if (!connection) {
    replyProxyError(request, response, portClosed(sandbox.id, port));
    return;
  }
  const mask = sandbox.maskRequestHost?.replaceAll(/\$\{PORT\}/g, String(port));
  forward(connection, request, response, mask, () => {
    const failure = sandbox.machine.running ? notHttp(sandbox.id, port) : sandboxNotFound(sandbox.id);
    replyProxyError(request, response, failure);
  });
}
