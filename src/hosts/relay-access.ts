/** Joins a broker and a relay: a token that the broker finds good becomes access to terminals. */

import type { BrokerCore } from '../broker/broker-core.js';
import type { BrokerEvent } from '../broker/broker-event.js';
import type { BrokerContext } from '../broker/broker-options.js';
import { sessionsPerSubject } from '../broker/limits.js';
import type { PtySession } from '../broker/pty-access.js';
import { watchLife } from '../broker/session-life.js';
import { processOwner } from '../broker/session-token.js';
import type { PtyTarget } from '../channel/channel.js';
import { createRelay } from '../relay/relay.js';
import type { Relay, RelayAccess, RelayLogEvent } from '../relay/relay-api.js';
import { openTerminal } from './open-terminal.js';

/** What is particular to a relay whose memory does not outlive its sockets. */
export interface StatelessRelay {
  /** Is told of each request that its terminals make. */
  onFetch(): void;
}

/**
 * A relay whose terminals go through the broker's own proxy, so that its policy holds for them too. With `stateless` the
 * output of each new terminal is kept in the sandbox, where that can be.
 */
export function createBrokerRelay<Env>(
  core: BrokerCore<Env>,
  context: BrokerContext<Env>,
  stateless?: StatelessRelay,
): Relay {
  const { helloMs, sockets, terminals } = core.limits.max;
  return createRelay({
    async authorize(token, sandboxId, trace) {
      const session = await core.authorizePty(token, sandboxId, context, trace, stateless?.onFetch);
      return relayAccess(session, sandboxId, stateless !== undefined);
    },
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

function relayAccess(session: PtySession, sandboxId: string, keepsAll: boolean): RelayAccess {
  const { claims, mode, life } = session;
  return {
    sandboxId,
    sessionId: claims.sid,
    subject: claims.sub,
    owner: processOwner(claims),
    ...(claims.g.user !== undefined && { user: claims.g.user }),
    mode,
    watch: (onOver) => watchLife(life, onOver),
    open: (target, seen) => openTerminal(session, keepsAll ? kept(target) : target, seen),
    ...(life.keepAlive && { keepAlive: life.keepAlive.extend, keepAliveMs: life.keepAlive.everyMs }),
  };
}

function kept(target: PtyTarget): PtyTarget {
  return 'create' in target ? { create: { durable: 'auto', ...target.create } } : target;
}
