/** `POST /sessions`: a session is begun. */

import { type Authorized, authorize } from './authorize.js';
import { directResponse, requireDirect } from './direct-session.js';
import type { Exchange } from './exchange.js';
import { defaultTimeoutSeconds } from './lifecycle-routes.js';
import { readMintRequest } from './mint-request.js';
import { openSandbox } from './open-sandbox.js';
import { sessionResponse } from './session-response.js';
import type { SessionClaims } from './session-token.js';

export async function mintSession<Env>(exchange: Exchange<Env>): Promise<Response> {
  const since = Date.now();
  const { invitation: _invitation, ...asked } = await readMintRequest(exchange.request);
  const authorized = await authorize(exchange, { action: 'mint', ...asked });
  if (asked.direct) requireDirect(authorized);
  const sandbox = await openSandbox(exchange, authorized, asked.sandboxId, lifeSeconds(authorized));
  if (asked.direct) return directResponse(exchange, sandbox);
  const gen = await exchange.revocations.begin(authorized.subject, since);
  const claims: SessionClaims = {
    ...decidedClaims(authorized),
    ...(gen !== undefined && { gen }),
    sid: crypto.randomUUID(),
    sbx: sandbox.sandboxID,
    auth_time: Math.floor(Date.now() / 1000),
  };
  Object.assign(exchange.event, { sessionId: claims.sid, sandboxId: claims.sbx });
  return sessionResponse(exchange, claims, sandbox, 201);
}

/** How long the sandbox lives on with nobody attached. */
export function lifeSeconds({ sandbox: { timeoutMs } }: Authorized): number {
  return timeoutMs === undefined ? defaultTimeoutSeconds : Math.ceil(timeoutMs / 1000);
}

/** What the application decides of a session's claims. */
function decidedClaims(authorized: Authorized): Omit<SessionClaims, 'sid' | 'sbx' | 'auth_time' | 'gen'> {
  const { subject, sandbox, grant, processesOf, invite } = authorized;
  return {
    sub: subject,
    g: grant,
    ...(sandbox.keepAlive !== false && { keep: lifeSeconds(authorized) }),
    ...(sandbox.endWithSession && { ews: true }),
    ...(processesOf !== undefined && { own: processesOf }),
    ...(invite && { inv: invite }),
  };
}
