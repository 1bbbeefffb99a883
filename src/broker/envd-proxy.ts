/** The proxy to a session's envd: everything that a verified session may do there. */

import { explainAbsence } from './absence.js';
import type { Exchange } from './exchange.js';
import { createFileGuard } from './file-guard.js';
import { download, health, upload } from './files-proxy.js';
import type { ProcessGuard } from './process-guard.js';
import type { Route } from './routes.js';
import { createRpcProxy } from './rpc-proxy.js';
import type { SessionClaims } from './session-token.js';

export type EnvdRoute = Extract<Route, { name: 'health' | 'download' | 'upload' | 'rpc' }>;

export type EnvdProxy = <Env>(
  exchange: Exchange<Env>,
  route: EnvdRoute,
  claims: SessionClaims,
) => Promise<Response>;

export function createEnvdProxy(processes: ProcessGuard): EnvdProxy {
  const files = createFileGuard();
  const rpc = createRpcProxy(processes, files);
  async function pass<Env>(
    exchange: Exchange<Env>,
    route: EnvdRoute,
    claims: SessionClaims,
  ): Promise<Response> {
    switch (route.name) {
      case 'health':
        return health(exchange, claims);
      case 'download':
        return download(exchange, claims, files);
      case 'upload':
        return upload(exchange, claims, files);
      case 'rpc':
        exchange.event.procedure = route.procedure;
        return rpc.forward(exchange, route.procedure, claims);
    }
  }
  return async (exchange, route, claims) => {
    try {
      return await pass(exchange, route, claims);
    } catch (error) {
      throw await explainAbsence(exchange, claims.sbx, error);
    }
  };
}
