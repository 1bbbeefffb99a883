import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { serviceHeaders } from './forwarded-headers.js';
import { openRequest, relayAnswerOf } from './port-proxy.js';

/**
 * Passes on a request that asks for another protocol, such as WebSocket. Once the service agrees, bytes go both ways
 * as they are; a service that does not agree answers as to any other request.
 */
export function forwardUpgrade(
  connection: Duplex,
  request: IncomingMessage,
  response: ServerResponse,
  early: Buffer,
  mask: string | undefined,
  onFailure: () => void,
): void {
  const protocol = request.headers.upgrade ?? '';
  const client = response.socket;
  const settings = request.headers['http2-settings'];
  const sent = openRequest(connection, request, [
    ...serviceHeaders(request, mask),
    ...(typeof settings === 'string' ? ['HTTP2-Settings', settings] : []),
    ...['Connection', settings === undefined ? 'Upgrade' : 'Upgrade, HTTP2-Settings', 'Upgrade', protocol],
  ]);
  sent.once('upgrade', (answer, _socket, head) => {
    if (!client) {
      connection.destroy();
      return;
    }
    response.detachSocket(client);
    client.write(switchingHead(answer));
    client.write(head);
    connection.write(early);
    join(client, connection);
  });
  relayAnswerOf(sent, request, response);
  sent.once('error', () => {
    connection.destroy();
    if (!response.headersSent && !response.destroyed) onFailure();
  });
  client?.once('close', () => connection.destroy());
  sent.end();
}

/** A response on a connection that Node has let go of, for one answer. */
export function lastResponseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => {
    response.detachSocket(socket);
    socket.destroySoon();
  });
  return response;
}

function switchingHead(answer: IncomingMessage): Buffer {
  const { statusCode, statusMessage, rawHeaders } = answer;
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Either side may end its half and still listen; a reset of one is a reset for the other. */
function join(client: Socket, connection: Duplex): void {
  client.setTimeout(0);
  client.pipe(connection).pipe(client);
  client.once('error', () => connection.destroy(new Error('the client reset the connection')));
  connection.once('error', () => client.resetAndDestroy());
  connection.once('close', () => client.destroySoon());
}
