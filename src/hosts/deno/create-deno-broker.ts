import { createBrokerCore } from '../../broker/broker-core.js';
import type { BrokerOptions } from '../../broker/broker-options.js';
import type { Revocation } from '../../broker/revocation.js';
import { ptyProtocol } from '../../wire/pty-frame.js';
import { bridgePreview } from '../bridge-preview.js';
import { isUpgrade } from '../is-upgrade.js';
import { openAppSocket } from '../open-app-socket.js';
import { createBrokerRelay } from '../relay-access.js';
import { serveSocket } from '../serve-socket.js';
import { webSocketHost } from '../web-socket.js';
import { denoFetch } from './deno-fetch.js';
import { upgradeWebSocket } from './deno-types.js';

/** A broker as a handler of Deno's requests, terminals included. It answers every request and never rejects. */
export interface DenoBroker {
  (request: Request): Promise<Response>;
  /** Ends sessions before their time: see `Broker.revoke`. */
  revoke(what: Revocation): Promise<void>;
  /** Closes the terminals' sockets; the terminals live on. The server is yours to shut down. */
  close(): void;
}

/**
 * Makes a broker for Deno. The request has to be the one that `Deno.serve` gave: a copy cannot become a WebSocket.
 *
 * <!-- example: not run, because it takes Deno -->
 * ```ts
 * import { createBroker } from 'e2b-edge/broker/deno'
 *
 * const broker = createBroker({
 *   apiKey: () => Deno.env.get('E2B_API_KEY') ?? '',
 *   signingKeys: () => ({ current: Deno.env.get('SESSION_KEY') ?? '' }),
 *   origins: ['https://app.example'],
 *   basePath: '/api/sandbox',
 *   authorize,
 * })
 * Deno.serve((request) => new URL(request.url).pathname.startsWith('/api/sandbox/') ? broker(request) : new Response('your application'))
 * ```
 * @param options `env` is undefined for those that are functions: they may ask `Deno.env`.
 * @throws {InvalidArgumentError} code `invalid_option`, naming it.
 */
export function createBroker(options: BrokerOptions<undefined>): DenoBroker {
  const core = createBrokerCore({ ...options, fetch: options?.fetch ?? denoFetch });
  const relay = createBrokerRelay(core, {});

  const handle = async (request: Request): Promise<Response> => {
    if (!isUpgrade(request)) return core.handle(request);
    return core.upgrade(
      request,
      {},
      {
        terminal(upgrade) {
          const { socket, response } = upgradeWebSocket(request, ptyProtocol);
          socket.addEventListener('open', () => serveSocket(webSocketHost(socket), upgrade, relay));
          return response;
        },
        async preview(preview) {
          const app = await openAppSocket(preview);
          const attach = bridgePreview(webSocketHost(app), preview);
          const { socket, response } = upgradeWebSocket(request, app.protocol);
          socket.addEventListener('open', () => attach(webSocketHost(socket)));
          return response;
        },
      },
    );
  };
  return Object.assign(handle, {
    revoke: (what: Revocation) => core.revoke(what),
    close: () => relay.close(),
  });
}
