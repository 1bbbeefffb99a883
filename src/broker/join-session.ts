/** `POST /sessions { invitation }`: a second person comes to the sandbox of a session. */

import { isE2BEdgeError } from '../errors.js';
import { authorize } from './authorize.js';
import { askControlPlane } from './control-plane.js';
import type { Exchange } from './exchange.js';
import { intersectGrants } from './grant.js';
import { type Invitation, readInvitation } from './invitation.js';
import { decidedClaims, type MintPlan } from './mint-plan.js';
import type { ParsedMintRequest } from './mint-request.js';
import { invitationInvalid, sandboxNotFound, sessionRefused } from './refusals.js';
import { storeKey } from './store-access.js';
import { takeOneOf } from './store-claim.js';

export async function planJoin<Env>(
  exchange: Exchange<Env>,
  { sandboxId, grant }: ParsedMintRequest,
  token: string,
): Promise<MintPlan> {
  const { credentials, event } = exchange;
  event.action = 'join';
  const invitation = await readInvitation(token, credentials.tokens);
  const { sbx, g, own, via, auth_time } = invitation;
  event.sandboxId = sbx;
  if (sandboxId !== undefined && sandboxId !== sbx) throw sandboxNotFound();
  await requireOpen(exchange, invitation);
  const inviter = via.at(-1) ?? via[0];
  const authorized = await authorize(exchange, {
    action: 'join',
    sandboxId: sbx,
    invitedBy: inviter.sub,
    grant: grant === undefined ? g : intersectGrants(grant, g),
  });
  const { sandbox } = authorized;
  if ('id' in sandbox && sandbox.id !== sbx) throw sessionRefused();
  const { ews: _ews, own: _own, ...claims } = decidedClaims(authorized);
  return {
    claims: { ...claims, own, via, auth_time },
    sandboxId: sbx,
    async open() {
      // Whoever is invited comes to the sandbox as it is: to wake it or to put off its end takes a grant.
      const detail = await askControlPlane(() => credentials.control.info(sbx));
      await takeUse(exchange, invitation);
      return { sandbox: { ...detail, sandboxID: sbx }, isNew: false };
    },
  };
}

/** An invitation ends with the sessions that it came from. */
async function requireOpen<Env>({ revocations }: Exchange<Env>, { via }: Invitation): Promise<void> {
  const [first, ...others] = via;
  try {
    await revocations.check({ ...first, via: others });
  } catch (error) {
    throw isE2BEdgeError(error, 'session_revoked') ? invitationInvalid() : error;
  }
}

async function takeUse<Env>({ exactStore }: Exchange<Env>, { jti, uses, exp }: Invitation): Promise<void> {
  const key = await storeKey('invitation', jti);
  if (!(await takeOneOf(exactStore, key, uses, exp * 1000))) throw invitationInvalid();
}
