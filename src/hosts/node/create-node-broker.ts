import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Acceptance, createBrokerCore } from '../../broker/broker-core.js';
import type { BrokerOptions } from '../../broker/broker-options.js';
import { invalidRequest } from '../../broker/refusals.js';
import type { Revocation } from '../../broker/revocation.js';
import { maxFrameBytes, ptyProtocol } from '../../wire/pty-frame.js';
import { createBrokerRelay } from '../relay-access.js';
import { serveSocket } from '../serve-socket.js';
import { nodeFetch } from './node-fetch.js';
import { nodeRequest } from './node-request.js';
import { writeNodeResponse } from './node-response.js';
import { pipePreview } from './pipe-preview.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import { wsSocket } from './ws-socket.js';

/** A broker to mount on a server of `node:http` or `node:https`, terminals included. */
export interface NodeBroker {
  /** Answers a request of the web. Never rejects. */
  fetch(request: Request): Promise<Response>;
  /** Answers a request: `server.on('request', broker.handleRequest)`, or from a handler of your own. Never rejects. */
  handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Takes a terminal's WebSocket: `server.on('upgrade', broker.handleUpgrade)`. Never rejects. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** Ends sessions before their time: see `Broker.revoke`. */
  revoke(what: Revocation): Promise<void>;
  /** Closes the terminals' sockets; the terminals live on. The server is yours to close. */
  close(): void;
}

/**
 * Makes a broker for Node.
 *
 * ```ts
 * const broker = createNodeBroker({ apiKey, signingKeys: { current: secret }, origins, basePath: '/api/sandbox', authorize })
 * server.on('upgrade', broker.handleUpgrade)
 * server.on('request', (request, response) =>
 *   request.url?.startsWith('/api/sandbox/') ? broker.handleRequest(request, response) : app(request, response))
 * ```
 * @param options `env` is undefined for those that are functions: they may read `process.env`.
 * @throws {InvalidArgumentError} code `invalid_option`, naming it.
 */
export function createNodeBroker(options: BrokerOptions<undefined>): NodeBroker {
  const core = createBrokerCore({ ...options, fetch: options?.fetch ?? nodeFetch });
  const relay = createBrokerRelay(core, {});
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    // Only sockets that offered it get here.
    handleProtocols: () => ptyProtocol,
  });
  // Thrown into the decision that made it: a refusal of its own would be one that the log does not have.
  sockets.on('wsClientError', () => {
    throw invalidRequest('This is no request that can become a WebSocket.');
  });
  return {
    fetch: (request) => core.handle(request),

    async handleRequest(message, response) {
      const gone = new AbortController();
      response.once('close', () => gone.abort(new Error('the caller is gone')));
      const request = nodeRequest(message, gone.signal);
      const answer = request ? await core.handle(request) : core.unreadable();
      await writeNodeResponse(answer, response);
    },

    async handleUpgrade(message, socket, head) {
      // Until the socket is a WebSocket nobody else listens, and an error without a listener ends the process.
      const onError = (): void => {
        socket.destroy();
      };
      socket.on('error', onError);
      const request = nodeRequest(message, new AbortController().signal);
      const accept: Acceptance<void> = {
        terminal: (upgrade) =>
          sockets.handleUpgrade(message, socket, head, (webSocket: WebSocket) => {
            socket.off('error', onError);
            serveSocket(wsSocket(webSocket), upgrade, relay);
          }),
        preview: (preview) => pipePreview(preview, message, socket, head),
      };
      const refusal = request ? await core.upgrade(request, {}, accept) : core.unreadable();
      if (refusal) await refuseUpgrade(refusal, socket);
    },

    revoke: (what) => core.revoke(what),

    close: () => relay.close(),
  };
}
