/** A session's life after its mint: refreshed, and ended. */

import { isE2BEdgeError } from '../errors.js';
import { authorize } from './authorize.js';
import { ownSession, sessionOf } from './bearer.js';
import { askControlPlane } from './control-plane.js';
import type { Exchange } from './exchange.js';
import { intersectGrants } from './grant.js';
import { jsonResponse } from './json-response.js';
import { lifeSeconds } from './mint-plan.js';
import { sessionRefused } from './refusals.js';
import { sessionResponse } from './session-response.js';
import type { SessionClaims } from './session-token.js';

/** `POST /sessions/refresh` */
export async function refreshSession<Env>(exchange: Exchange<Env>): Promise<Response> {
  const { credentials, keepAlive } = exchange;
  const old = await sessionOf(exchange, { expired: true });
  await exchange.limits.refresh(old.sid);
  const inviter = old.via?.at(-1);
  const authorized = await authorize(exchange, {
    action: 'refresh',
    sandboxId: old.sbx,
    sessionId: old.sid,
    subject: old.sub,
    grant: old.g,
    ...(inviter && { invitedBy: inviter.sub }),
  });
  const { subject, sandbox } = authorized;
  if (subject !== old.sub || ('id' in sandbox && sandbox.id !== old.sbx)) throw sessionRefused();
  // Other processes than before would be more than before.
  if (!inviter && authorized.processesOf !== old.own) throw sessionRefused();
  const detail = await askControlPlane(() => credentials.control.info(old.sbx));
  const { keep: _keep, inv, ...rest } = old;
  const { invite } = authorized;
  const claims: SessionClaims = {
    ...rest,
    g: authorized.grant,
    ...(sandbox.keepAlive !== false && { keep: lifeSeconds(authorized) }),
    ...(inv && invite && { inv: intersectGrants(inv, invite) }),
  };
  if (detail.state === 'running') {
    // A sandbox that cannot be extended any more is still there to be used until its end.
    await keepAlive(claims, credentials).catch((error: unknown) => {
      if (isE2BEdgeError(error, 'sandbox_not_found')) throw error;
      exchange.event.cause = error;
    });
  }
  return sessionResponse(exchange, claims, detail, 200);
}

/** `DELETE /sessions/:id`, which every session may: the sandbox is killed where the application says so. */
export async function endSession<Env>(exchange: Exchange<Env>, sessionId: string): Promise<Response> {
  const { credentials, revocations, directory } = exchange;
  const claims = await ownSession(exchange, sessionId);
  const killed = claims.ews === true && (await askControlPlane(() => credentials.control.kill(claims.sbx)));
  if (killed) directory.forget(claims.sbx);
  // Last, as a session that is over could not try again what failed before.
  if (revocations.areKept) await revocations.revoke({ sessionId: claims.sid });
  return jsonResponse({ revoked: revocations.areKept, killed });
}
