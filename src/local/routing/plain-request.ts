import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

const dropped = new Set(['connection', 'http2-settings', 'upgrade']);

/**
 * Serves a request as if it had not asked for another protocol, which a server may do (RFC 9110, 7.8). Node hands all
 * such requests over once somebody listens for them, so this one is read again without the wish.
 */
export function servePlain(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!dropped.has(rawHeaders[i]!.toLowerCase())) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  // Node's listeners of the first reading stay on the socket, so it is not read a third time.
  lines.push('Connection: close');
  socket.unshift(head);
  socket.unshift(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
  server.emit('connection', socket);
}
