/** Joins a broker and a relay: a token that the broker finds good becomes access to terminals. */

import type { BrokerCore } from '../broker/broker-core.js';
import type { BrokerContext } from '../broker/broker-options.js';
import { openLiveChannel } from '../channel/live-channel.js';
import { createRelay } from '../relay/relay.js';
import type { Relay, RelayAccess } from '../relay/relay-api.js';
import { Connection } from '../transport/connection.js';
import { fixedCredential } from '../transport/credential.js';

/** A relay whose terminals go through the broker's own proxy, so that its policy holds for them too. */
export function createBrokerRelay<Env>(core: BrokerCore<Env>, context: BrokerContext<Env>): Relay {
  return createRelay({ authorize: (token, sandboxId) => relayAccess(core, token, sandboxId, context) });
}

async function relayAccess<Env>(
  core: BrokerCore<Env>,
  token: string,
  sandboxId: string,
  context: BrokerContext<Env>,
): Promise<RelayAccess> {
  const { claims, mode, endsAt, envdVersion, baseUrl, fetch, keepAlive } = await core.authorizePty(
    token,
    sandboxId,
    context,
  );
  // The proxy puts the real credential on.
  const credential = fixedCredential({});
  return {
    sandboxId,
    sessionId: claims.sid,
    subject: claims.sub,
    mode,
    endsAt,
    open: (target) =>
      openLiveChannel(
        new Connection({ sandboxId, envdVersion, baseUrl, credential, fetch, streamingUploads: false }),
        target,
      ),
    keepAlive,
  };
}
