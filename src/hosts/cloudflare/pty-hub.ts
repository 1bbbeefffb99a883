import type { PtyUpgrade } from '../../broker/pty-access.js';
import type { Relay } from '../../relay/relay-api.js';
import { ptyProtocol } from '../../wire/pty-frame.js';
import { createBrokerRelay } from '../relay-access.js';
import { serveSocket } from '../serve-socket.js';
import { registeredBroker } from './registry.js';
import { workerSocket } from './worker-socket.js';
import { webSocketPair, webSocketResponse } from './workers-types.js';

/** Tells the object what was judged. Only the Worker can reach the object, so no page writes this. */
const upgradeHeader = 'x-e2b-edge-upgrade';

interface HubUpgrade extends PtyUpgrade {
  basePath: string;
}

/** The request that hands an upgrade to the object of its sandbox. */
export function hubRequest(request: Request, basePath: string, upgrade: PtyUpgrade): Request {
  const forwarded = new Request(request);
  forwarded.headers.set(upgradeHeader, JSON.stringify({ ...upgrade, basePath } satisfies HubUpgrade));
  return forwarded;
}

/**
 * The Durable Object that holds the terminals of one sandbox: its memory outlives the sockets. Export it from the
 * Worker's module.
 */
export class PtyHub {
  readonly #env: unknown;
  readonly #relays = new Map<string, Relay>();

  constructor(_state: unknown, env: unknown) {
    this.#env = env;
  }

  async fetch(request: Request): Promise<Response> {
    const { basePath, ...upgrade } = JSON.parse(request.headers.get(upgradeHeader) ?? '{}') as HubUpgrade;
    const relay = this.#relayOf(basePath);
    const { client, server } = webSocketPair();
    serveSocket(workerSocket(server), upgrade, relay);
    return webSocketResponse(client, ptyProtocol);
  }

  #relayOf(basePath: string): Relay {
    let relay = this.#relays.get(basePath);
    if (!relay) {
      relay = createBrokerRelay(registeredBroker(basePath), { env: this.#env });
      this.#relays.set(basePath, relay);
    }
    return relay;
  }
}
