import { createBrokerCore } from '../../broker/broker-core.js';
import type { BrokerOptions } from '../../broker/broker-options.js';
import { invalidRequest } from '../../broker/refusals.js';
import type { Revocation } from '../../broker/revocation.js';
import { ptyProtocol } from '../../wire/pty-frame.js';
import { bridgePreview } from '../bridge-preview.js';
import { isUpgrade } from '../is-upgrade.js';
import { openAppSocket } from '../open-app-socket.js';
import { createBrokerRelay } from '../relay-access.js';
import { serveSocket } from '../serve-socket.js';
import { webSocketHost } from '../web-socket.js';
import { BunSocket, type BunWebSocketHandler, websocket } from './bun-socket.js';
import type { BunServerLike } from './bun-types.js';

/** A broker for `Bun.serve`, terminals included. */
export interface BunBroker {
  /** Answers a request. Never rejects. */
  fetch(request: Request, server: BunServerLike): Promise<Response>;
  /** Goes to `Bun.serve` beside `fetch`: it hears the terminals' sockets, of all brokers of the server. */
  websocket: BunWebSocketHandler;
  /** Ends sessions before their time: see `Broker.revoke`. */
  revoke(what: Revocation): Promise<void>;
  /** Closes the terminals' sockets; the terminals live on. The server is yours to stop. */
  close(): void;
}

/**
 * Makes a broker for Bun.
 *
 * <!-- example: not run, because it listens at a port of its own choice -->
 * ```ts
 * import { createBroker } from 'e2b-edge/broker/bun'
 *
 * const broker = createBroker({ apiKey, signingKeys: { current: secret }, origins, basePath: '/api/sandbox', authorize })
 * Bun.serve({
 *   websocket: broker.websocket,
 *   fetch: (request, server) =>
 *     new URL(request.url).pathname.startsWith('/api/sandbox/') ? broker.fetch(request, server) : new Response('your application'),
 * })
 * ```
 * Bun drops a connection that is silent for 10 seconds; the broker takes that off its own requests, as a command may be
 * silent for long.
 * @param options `env` is undefined for those that are functions: they may read `process.env`.
 * @throws {InvalidArgumentError} code `invalid_option`, naming it.
 */
export function createBroker(options: BrokerOptions<undefined>): BunBroker {
  const core = createBrokerCore(options);
  const relay = createBrokerRelay(core, {});
  return {
    async fetch(request, server) {
      if (!isUpgrade(request)) {
        server.timeout(request, 0);
        return core.handle(request);
      }
      const accept = (data: BunSocket, protocol: string): Response => {
        const headers: Record<string, string> = protocol === '' ? {} : { 'sec-websocket-protocol': protocol };
        if (!server.upgrade(request, { data: data as never, headers })) {
          throw invalidRequest('This is no request that can become a WebSocket.');
        }
        // Bun has answered; it wants one all the same.
        return new Response(null);
      };
      return core.upgrade(
        request,
        {},
        {
          terminal: (upgrade) =>
            accept(new BunSocket((socket) => serveSocket(socket, upgrade, relay)), ptyProtocol),
          async preview(preview) {
            const app = await openAppSocket(preview);
            return accept(new BunSocket(bridgePreview(webSocketHost(app), preview)), app.protocol);
          },
        },
      );
    },
    websocket,
    revoke: (what) => core.revoke(what),

    close: () => relay.close(),
  };
}
