import type { BrokerCore } from '../../broker/broker-core.js';
import type { BrokerContext } from '../../broker/broker-options.js';
import type { PtyUpgrade } from '../../broker/pty-access.js';
import { ptyProtocol } from '../../wire/pty-frame.js';
import { passingSocket } from '../passing-socket.js';
import { createBrokerRelay } from '../relay-access.js';
import { serveSocket } from '../serve-socket.js';
import { workerSocket } from './worker-socket.js';
import { webSocketPair, webSocketResponse } from './workers-types.js';

/** The rest is for the requests that are not counted: those of the application's store. */
const share = 0.8;

/**
 * Serves a terminal's socket where there is no Durable Object: by a relay of its own, in the memory of this invocation.
 * What the socket missed comes from the log that is kept in the sandbox.
 */
export function serveStateless<Env>(
  core: BrokerCore<Env>,
  context: BrokerContext<Env>,
  upgrade: PtyUpgrade,
  maxSubrequests: number,
): Response {
  let left = Math.floor(maxSubrequests * share);
  const { client, server } = webSocketPair();
  const socket = passingSocket(workerSocket(server), () => relay.close());
  const relay = createBrokerRelay(core, context, {
    onFetch() {
      left--;
      if (left === 0) socket.handOver();
    },
  });
  serveSocket(socket, upgrade, relay);
  return webSocketResponse(client, ptyProtocol);
}
