/** Guests: what one page passes on to another. */

import type { Grant, Session } from '../../../src/wire/session.js';
import { judgeGrant } from '../law/judge-grant.js';
import type { Draft } from './draft.js';
import { bytesOf } from './draft.js';
import { requestOf } from './send.js';
import type { LawfulSession } from './session.js';
import { lawful, type Stage } from './stage.js';
import type { Sessions } from './tamper.js';

const json: [string, string] = ['content-type', 'application/json'];

export function inviteDraft({ sessionId, token }: LawfulSession, grant: unknown): Draft {
  return {
    method: 'POST',
    path: `/sessions/${sessionId}/invite`,
    headers: [json, ['authorization', `Bearer ${token}`]],
    body: bytesOf(JSON.stringify({ grant })),
  };
}

export function joinDraft(invitation: string, grant?: unknown): Draft {
  return {
    method: 'POST',
    path: '/sessions',
    headers: [json],
    body: bytesOf(JSON.stringify({ invitation, grant })),
  };
}

/** Invites, and comes: gives the guest's session, or what is unlawful about it. */
export async function join(
  stage: Stage,
  { own }: Sessions,
  { asked, allowed }: { asked: Grant | undefined; allowed: Grant },
  invite: Grant | undefined,
): Promise<LawfulSession | string> {
  const { broker } = stage;
  const invited = await broker.handle(requestOf(inviteDraft(own, asked)) as Request);
  if (invited.status !== 201) return `not invited: ${await invited.text()}`;
  const { invitation } = (await invited.json()) as { invitation: string };
  const authorization = { subject: 'carol', sandbox: { id: 'sandboxone' }, grants: allowed };
  stage.authorization = authorization;
  const came = await broker.handle(requestOf(joinDraft(invitation)) as Request);
  if (came.status !== 201) return `not joined: ${await came.text()}`;
  const session = (await came.json()) as Session;
  const wrong = judgeGuest(session, own, [own.grant, invite, asked, allowed]);
  if (wrong) return `joined: ${wrong}`;
  const again = await broker.handle(requestOf(joinDraft(invitation)) as Request);
  if (again.status !== 403) return `an invitation was used twice: ${again.status}`;
  return { ...lawful(session, authorization), owner: own.owner, invitedBy: own };
}

/** A guest has at most what each of these allows, of the same sandbox and as the same user. */
export function judgeGuest(
  { grant, sandboxId }: Session,
  inviter: LawfulSession,
  allowed: readonly (Grant | undefined)[],
): string | undefined {
  if (sandboxId !== inviter.sandboxId) return 'another sandbox';
  if (grant.user !== inviter.grant.user) return `the user is ${grant.user}`;
  return allowed.map((one) => one && judgeGrant(grant, one)).find((wrong) => wrong !== undefined);
}
