/** Joins a broker and a relay: a token that the broker finds good becomes access to terminals. */

import type { BrokerCore } from '../broker/broker-core.js';
import type { BrokerEvent } from '../broker/broker-event.js';
import type { BrokerContext } from '../broker/broker-options.js';
import { sessionsPerSubject } from '../broker/limits.js';
import { watchLife } from '../broker/session-life.js';
import { processOwner } from '../broker/session-token.js';
import type { Trace } from '../broker/trace.js';
import { createRelay } from '../relay/relay.js';
import type { Relay, RelayAccess, RelayLogEvent } from '../relay/relay-api.js';
import { openTerminal } from './open-terminal.js';

/** A relay whose terminals go through the broker's own proxy, so that its policy holds for them too. */
export function createBrokerRelay<Env>(core: BrokerCore<Env>, context: BrokerContext<Env>): Relay {
  const { helloMs, sockets, terminals } = core.limits.max;
  return createRelay({
    authorize: (token, sandboxId, trace) => relayAccess(core, token, sandboxId, context, trace),
    helloTimeoutMs: helloMs,
    maxSocketsPerSession: sockets,
    maxSocketsPerSubject: sockets * sessionsPerSubject,
    maxTerminalsPerSession: terminals,
    maxTerminalsPerSubject: terminals * sessionsPerSubject,
    log: (event) => core.log(brokerEvent(event)),
  });
}

function brokerEvent({ event, pid, detail, durationMs = 0, ...facts }: RelayLogEvent): BrokerEvent {
  return {
    ...facts,
    action: 'terminal',
    terminal: { event, ...(pid !== undefined && { pid }), ...(detail !== undefined && { detail }) },
    outcome: event === 'refuse' ? 'refused' : event === 'error' ? 'failed' : 'allowed',
    requestId: crypto.randomUUID(),
    status: 0,
    durationMs,
  };
}

async function relayAccess<Env>(
  core: BrokerCore<Env>,
  token: string,
  sandboxId: string,
  context: BrokerContext<Env>,
  trace: Trace,
): Promise<RelayAccess> {
  const session = await core.authorizePty(token, sandboxId, context, trace);
  const { claims, mode, life } = session;
  return {
    sandboxId,
    sessionId: claims.sid,
    subject: claims.sub,
    owner: processOwner(claims),
    ...(claims.g.user !== undefined && { user: claims.g.user }),
    mode,
    watch: (onOver) => watchLife(life, onOver),
    open: (target, seen) => openTerminal(session, target, seen),
    ...(life.keepAlive && { keepAlive: life.keepAlive.extend, keepAliveMs: life.keepAlive.everyMs }),
  };
}
