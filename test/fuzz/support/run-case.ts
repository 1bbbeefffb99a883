import type { Authorization } from '../../../src/broker/authorization.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import type { Call } from '../arbitraries/calls.js';
import type { TokenTrick } from '../arbitraries/tokens.js';
import type { Twist } from '../arbitraries/twists.js';
import { type Answer, codeOf, judgeAnswer } from '../law/judge-answer.js';
import { type Asked, judgeArrival } from '../law/judge-arrival.js';
import { judgeGrant } from '../law/judge-grant.js';
import { judgeSigned } from '../law/judge-signed.js';
import { procedureOf } from './arrived.js';
import { draftOf } from './draft.js';
import type { Keys } from './keys.js';
import { requestOf, send } from './send.js';
import type { LawfulSession } from './session.js';
import { lawful, type Others, type Stage, setStage } from './stage.js';
import { authorizationOf, isSameToken, type Sessions } from './tamper.js';
import { twisted } from './twist.js';
import type { Mood, World } from './world.js';

/** A page that was granted something, and what it does then. */
export interface Case {
  keys: Keys['name'];
  place: World['place'];
  withStore: boolean;
  grant: Grant;
  life: { keepAlive: boolean; endWithSession: boolean };
  /** What the application answers to the page's own requests for sessions. */
  application: 'the same' | 'no' | 'a template';
  moods: { envd: Mood; control: Mood };
  steps: { call: Call; token: TokenTrick; twists: Twist[]; times: number }[];
}

/** How often what came to pass, so that what never happens is noticed. */
export type Tally = Map<string, number>;

/** Does what a case says, and gives everything that was unlawful about it. */
export async function runCase(one: Case, keys: Keys, others: Others, tally: Tally): Promise<string[]> {
  const stage = setStage(keys, one.place, one.withStore);
  const { world } = stage;
  const authorization: Authorization = {
    subject: 'ann',
    sandbox: { id: 'sandboxone', ...one.life },
    grants: one.grant,
  };
  const own = await stage.mint(authorization);
  const wrong = judgeGrant(own.grant, one.grant);
  if (wrong) return [`minted: ${wrong}`];
  world.programs.push(...others.programs.map((program) => ({ ...program })));
  stage.authorization =
    one.application === 'no'
      ? null
      : one.application === 'the same'
        ? authorization
        : { ...authorization, sandbox: { template: 'base', ...one.life } };
  Object.assign(world, { envdMood: one.moods.envd, controlMood: one.moods.control });
  const sessions: Sessions = { own, ...structuredClone(others.sessions) };

  const violations: string[] = [];
  for (const [index, step] of one.steps.entries()) {
    for (let time = 0; time < step.times; time++) {
      const found = await runStep(stage, step, sessions, keys, tally);
      violations.push(...found.map((violation) => `step ${index}: ${violation}`));
    }
  }
  return violations;
}

async function runStep(
  stage: Stage,
  { call, token, twists }: Case['steps'][number],
  sessions: Sessions,
  keys: Keys,
  tally: Tally,
): Promise<string[]> {
  const { world } = stage;
  const { own } = sessions;
  const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
  const draft = draftOf(call, own);
  const authorization = authorizationOf(token, sessions, keys);
  if (authorization !== undefined) draft.headers.push(['authorization', authorization]);
  const request = requestOf(twists.reduce(twisted, draft));
  if (!request) {
    count('not a request');
    return [];
  }
  const asked = askedOf(request, stage, sessions, token);
  world.arrived.length = 0;
  world.actor = asked.who;
  let answer: Answer;
  try {
    answer = await send(stage.broker, request);
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
  for (const arrived of world.arrived)
    count(
      procedureOf(arrived)?.name ??
        `${arrived.method} ${arrived.url.pathname.replace(/(sandbox|made)(one|two|bob|\d+)/, ':id')}`,
    );
  count(`answer ${answer.status} ${codeOf(answer.status, answer.headers, answer.body) ?? ''}`);
  if (answer.status < 400 && token.how !== 'own') count(`token ${token.how}: ${answer.status}`);
  const violations = [
    ...world.arrived.map((arrived) => judgeArrival(world, arrived, asked)),
    judgeAnswer(world, answer, asked.who),
    takeSession(stage, answer, asked, sessions),
  ];
  return violations.filter((violation) => violation !== undefined);
}

function askedOf(request: Request, { authorization }: Stage, sessions: Sessions, trick: TokenTrick): Asked {
  const path = new URL(request.url).pathname.replace(/^\/api\/sandbox/, '');
  const [, token = ''] = /^bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  // A token that has run out is good for a fresh one.
  const isRefreshed = trick.how === 'signed' && trick.claims.exp === 1 && path === '/sessions/refresh';
  const who = isRefreshed
    ? sessions.own
    : Object.values(sessions).find((one) => isSameToken(one.token, token));
  const { sandbox, subject = '' } = authorization ?? {};
  return {
    method: request.method,
    path,
    who,
    authorized: sandbox && {
      subject,
      ...('id' in sandbox && { sandboxId: sandbox.id }),
      keepAlive: sandbox.keepAlive !== false,
    },
    token,
    idempotencyKey: request.headers.get('idempotency-key'),
  };
}

function lawOf(judge: () => void): string | undefined {
  try {
    judge();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** Takes in a session that was given out or ended; tells what is unlawful about it. */
function takeSession(
  { authorization }: Stage,
  { status, body }: Answer,
  { method, path, who }: Asked,
  sessions: Sessions,
): string | undefined {
  if (path === '/files/sign' && status === 200) return lawOf(() => judgeSigned(body, who));
  if (method === 'DELETE' && status === 200 && who) {
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
  // What comes next comes from the page's newest session; a refreshed one is still the same.
  if (who === sessions.own || isMint)
    sessions.own = isRefresh && who ? { ...who, ...fresh, taken: who.taken } : fresh;
  return undefined;
}
