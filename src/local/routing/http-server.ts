import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { replyFailure } from '../http/replies.js';
import { hasBody } from './forwarded-headers.js';
import { servePlain } from './plain-request.js';
import { lastResponseOn } from './port-upgrade.js';

/** Longer than the proxies in front of real sandboxes keep theirs, as upstream. */
const keepAliveTimeoutMs = 620_000;

/** What a server is asked. */
export interface RequestListener {
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Whether a request that asks for another protocol may get it; otherwise it is answered as any other. */
  mayUpgrade(request: IncomingMessage): boolean;
  answerUpgrade(request: IncomingMessage, response: ServerResponse, early: Buffer): Promise<void>;
}

/**
 * An HTTP/1.1 server whose requests may last as long as they like: uploads, event streams, WebSockets. `listener` is
 * asked for at each request.
 */
export function createHttpServer(listener: () => RequestListener): Server {
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: keepAliveTimeoutMs });
  // Headers beyond a count would be left out without a word; their size is limited anyway.
  server.maxHeadersCount = 0;

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    listener()
      .answer(request, response)
      .catch((error) => replyFailure(response, error));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, early: Buffer) => {
    // Node has taken its own listener off.
    socket.on('error', () => socket.destroy());
    // What follows a body cannot be told from the other protocol's first bytes.
    if (hasBody(request) || !listener().mayUpgrade(request)) {
      servePlain(server, request, socket, early);
      return;
    }
    const response = lastResponseOn(socket, request);
    listener()
      .answerUpgrade(request, response, early)
      .catch((error) => replyFailure(response, error));
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  return server;
}
