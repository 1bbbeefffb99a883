/** Which part of the broker answers which route. */

import { lifeOf, sessionOf } from './bearer.js';
import type { EnvdProxy } from './envd-proxy.js';
import type { Exchange } from './exchange.js';
import { createFileGuard } from './file-guard.js';
import { invite } from './invitation.js';
import { publishKeys } from './jwks.js';
import {
  describeSandbox,
  extendSandbox,
  killSandbox,
  pauseSandbox,
  resumeSandbox,
  sandboxMetrics,
} from './lifecycle-routes.js';
import { mintSession } from './mint-session.js';
import { httpRefusal, unauthenticated } from './refusals.js';
import type { Route } from './routes.js';
import { endSession, refreshSession } from './session-routes.js';
import { signFile } from './sign-file.js';

export type Answer = <Env>(exchange: Exchange<Env>, route: Route) => Promise<Response>;

/** @param proxy the way to envd, which the terminals share. */
export function createAnswer(proxy: EnvdProxy): Answer {
  const files = createFileGuard();
  return async (exchange, route) => {
    switch (route.name) {
      case 'mint':
        return mintSession(exchange);
      case 'refresh':
        return refreshSession(exchange);
      case 'end':
        return endSession(exchange, route.sessionId);
      case 'invite':
        return invite(exchange, route.sessionId);
      case 'info':
        return describeSandbox(exchange, route.sessionId);
      case 'metrics':
        return sandboxMetrics(exchange, route.sessionId);
      case 'extend':
        return extendSandbox(exchange, route.sessionId);
      case 'pause':
        return pauseSandbox(exchange, route.sessionId);
      case 'resume':
        return resumeSandbox(exchange, route.sessionId);
      case 'kill':
        return killSandbox(exchange, route.sessionId);
      case 'sign':
        return signFile(exchange, files);
      case 'jwks':
        return publishKeys(exchange);
      case 'pty':
        throw httpRefusal(
          426,
          'upgrade_required',
          'This is the address of a WebSocket, on a host that has them.',
        );
      default: {
        const claims = await sessionOf(exchange);
        if (claims.sbx !== route.sandboxId) throw unauthenticated();
        const pass = (): Promise<Response> =>
          proxy({ ...exchange, life: lifeOf(exchange, claims) }, route, claims);
        return route.name === 'rpc' || route.name === 'health'
          ? exchange.limits.during('call', claims, pass)
          : pass();
      }
    }
  };
}
