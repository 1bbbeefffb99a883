import type { Session } from '../../../src/wire/session.js';
import type { Answer } from '../law/judge-answer.js';
import type { Asked } from '../law/judge-arrival.js';
import { judgeGrant } from '../law/judge-grant.js';
import { judgeSigned } from '../law/judge-signed.js';
import { judgeGuest } from './join.js';
import type { LawfulSession } from './session.js';
import { lawful, type Stage } from './stage.js';
import type { Sessions } from './tamper.js';

function lawOf(judge: () => void): string | undefined {
  try {
    judge();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** Takes in a session that was given out or ended; tells what is unlawful about it. */
export function takeSession(
  { authorization }: Stage,
  { status, body }: Answer,
  { method, path, who, isJoin }: Asked,
  sessions: Sessions,
): string | undefined {
  if (path === '/files/sign' && status === 200) return lawOf(() => judgeSigned(body, who));
  if (method === 'DELETE' && status === 200 && who && path.startsWith('/sessions/')) {
    who.ended = (JSON.parse(body) as { revoked: boolean }).revoked;
    return undefined;
  }
  const isMint = path === '/sessions' && status === 201;
  const isRefresh = path === '/sessions/refresh' && status === 200;
  if (method !== 'POST' || !(isMint || isRefresh)) return undefined;
  const session = JSON.parse(body) as Session;
  if (!authorization) return 'a session that the application does not allow';
  if (isRefresh && (session.sandboxId !== who?.sandboxId || session.sessionId !== who.sessionId))
    return 'a refresh made another session';
  const fresh: LawfulSession = lawful(session, authorization);
  const { grants } = authorization;
  const wrong =
    judgeGrant(session.grant, grants) ??
    (isRefresh && who ? judgeGrant(session.grant, who.grant) : undefined);
  if (wrong) return wrong;
  if (session.grant.user !== grants.user) return `the user is ${session.grant.user}`;
  if (isJoin) {
    const { own } = sessions;
    sessions.guest = { ...fresh, owner: own.owner, invitedBy: own };
    return judgeGuest(session, own, [own.grant, authorization.invite]);
  }
  // What comes next comes from the page's newest session; a refreshed one is still the same.
  if (isMint) sessions.own = fresh;
  else if (who === sessions.own) Object.assign(who, { ...fresh, taken: who.taken, owner: who.owner });
  return undefined;
}
