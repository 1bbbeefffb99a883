import type { Call } from '../arbitraries/calls.js';
import type { PreviewCall } from '../arbitraries/previews.js';
import type { TerminalCall } from '../arbitraries/terminals.js';
import type { TokenTrick } from '../arbitraries/tokens.js';
import { type Answer, codeOf, judgeAnswer } from '../law/judge-answer.js';
import { type Asked, judgeArrival } from '../law/judge-arrival.js';
import { type Entry, previewPlace } from '../law/judge-preview.js';
import { procedureOf } from './arrived.js';
import { type Draft, draftOf } from './draft.js';
import { entryDraft, previewDraft } from './draft-preview.js';
import { inviteDraft, joinDraft } from './join.js';
import type { Keys } from './keys.js';
import { openTerminal } from './open-terminal.js';
import type { Case } from './run-case.js';
import { requestOf, send, upgrade } from './send.js';
import type { LawfulSession } from './session.js';
import type { Stage } from './stage.js';
import { takeSession } from './take-session.js';
import { authorizationOf, isSameToken, type Sessions, tokenOf } from './tamper.js';
import { twisted } from './twist.js';

/** How often what came to pass, so that what never happens is noticed. */
export type Tally = Map<string, number>;
type Step = Case['steps'][number];

/** One request of a page, from its draft to the judgement. */
interface Turn {
  stage: Stage;
  sessions: Sessions;
  keys: Keys;
  tally: Tally;
  /** What its cookie is good for. */
  entry?: Entry | undefined;
  cookie?: string | undefined;
  isJoin?: true;
}

export async function runStep(
  stage: Stage,
  step: Step,
  sessions: Sessions,
  keys: Keys,
  tally: Tally,
): Promise<string[]> {
  const turn: Turn = { stage, sessions, keys, tally };
  const { call } = step;
  switch (call.kind) {
    case 'preview':
      return runPreview(turn, call, step);
    case 'terminal':
      return runTerminal(turn, call, step.token);
    case 'join':
      return runJoin(turn, call, step);
    default: {
      const draft = draftOf(call, sessions.own);
      const authorization = authorizationOf(step.token, sessions, keys);
      if (authorization !== undefined) draft.headers.push(['authorization', authorization]);
      return (await take(turn, draft, step)).violations;
    }
  }
}

/** Sends a draft, once it was twisted, and judges what came of it. */
async function take(
  turn: Turn,
  draft: Draft,
  { token, twists }: Pick<Step, 'token' | 'twists'>,
  socket = false,
): Promise<{ violations: string[]; answer?: Answer }> {
  const { stage, sessions, tally } = turn;
  const request = requestOf(twists.reduce(twisted, draft));
  if (!request) {
    count(tally, 'not a request');
    return { violations: [] };
  }
  const asked = askedOf(request, turn, token);
  begin(stage, asked.who);
  let answer: Answer | undefined;
  try {
    answer = socket ? await upgrade(stage, request) : await send(stage.broker, request);
  } catch (error) {
    return { violations: [error instanceof Error ? (error.stack ?? error.message) : String(error)] };
  }
  if (!answer) count(tally, 'socket to a preview');
  const violations = judged(turn, asked);
  if (!answer) return { violations };
  const code = codeOf(answer.status, answer.headers, answer.body) ?? '';
  count(tally, `${asked.place ? 'preview' : 'answer'} ${answer.status} ${code}`);
  if (answer.status < 400 && token.how !== 'own') count(tally, `token ${token.how}: ${answer.status}`);
  const more = [judgeAnswer(stage.world, answer, asked), takeSession(stage, answer, asked, sessions)];
  return { violations: [...violations, ...more.filter((violation) => violation !== undefined)], answer };
}

function begin({ world }: Stage, who: LawfulSession | undefined): void {
  world.arrived.length = 0;
  world.actor = who;
  world.wasPaused = new Set(world.paused);
}

function judged({ stage: { world }, tally }: Turn, asked: Asked): string[] {
  for (const arrived of world.arrived) {
    const at = arrived.url.pathname.replace(/(sandbox|made)(one|two|bob|\d+)/, ':id');
    count(tally, procedureOf(arrived)?.name ?? `${arrived.method} ${at}`);
  }
  const violations = world.arrived.map((arrived) => judgeArrival(world, arrived, asked));
  return violations.filter((violation) => violation !== undefined);
}

/** Enters first, where the call is to have a cookie; with another port or another's session where it says so. */
async function runPreview(turn: Turn, call: PreviewCall, step: Step): Promise<string[]> {
  const { sessions, keys, stage } = turn;
  const atOrigin = call.atOrigin && stage.previewsAt === 'origins';
  const token = tokenOf(step.token, sessions, keys);
  const { own } = sessions;
  const asked = { sandboxId: own.sandboxId, sessionId: own.sessionId, token };
  const violations: string[] = [];
  let entry: Entry | undefined;
  let cookie: string | undefined;
  if (call.by.includes('cookie')) {
    const port = call.by === 'cookie of another port' ? (call.port === 80 ? 3000 : 80) : call.port;
    const who =
      call.by === "cookie of another's"
        ? sessions.colleague
        : Object.values(sessions).find((one) => isSameToken(one.token, token));
    const enters = { ...asked, token: who?.token ?? token, sandboxId: own.sandboxId };
    const plain = { token: { how: 'own' } as TokenTrick, twists: [] };
    const entered = await take(turn, entryDraft(enters, port, atOrigin), plain);
    violations.push(...entered.violations);
    cookie = entered.answer?.headers.getSetCookie()[0]?.split(';')[0];
    if (call.by === 'token as a cookie') cookie = cookie?.replace(/=.*/, `=${token}`);
    else if (who && cookie !== undefined) {
      entry = { who, port };
      asked.sessionId = who.sessionId;
    }
  }
  const draft = previewDraft({ ...call, atOrigin }, { ...asked, cookie });
  const taken = await take({ ...turn, entry, cookie }, draft, step, call.isSocket);
  return [...violations, ...taken.violations];
}

async function runTerminal(turn: Turn, call: TerminalCall, trick: TokenTrick): Promise<string[]> {
  const { sessions, keys, stage, tally } = turn;
  const token = tokenOf(trick, sessions, keys);
  const { sandboxId } = sessions.own;
  const headers = new Headers({ ...call.headers, authorization: `Bearer ${token}` });
  const request = new Request(`https://any.test/api/sandbox/pty/${sandboxId}`, { headers });
  const asked = askedOf(request, turn, trick);
  begin(stage, asked.who);
  const { violation, outcome } = await openTerminal(stage, call, sandboxId, token);
  count(tally, `terminal ${outcome}`);
  return [...judged(turn, asked), ...(violation === undefined ? [] : [violation])];
}

/** Comes with an invitation of one's own, or with what is to be taken for one. */
async function runJoin(turn: Turn, call: Extract<Call, { kind: 'join' }>, step: Step): Promise<string[]> {
  const { sessions, keys, stage } = turn;
  const { own } = sessions;
  const plain = { token: { how: 'own' } as TokenTrick, twists: [] };
  const invited = await take(turn, inviteDraft(own, undefined), plain);
  const text = invited.answer?.status === 201 ? invited.answer.body : '{}';
  const { invitation = own.token } = JSON.parse(text) as { invitation?: string };
  const { authorization } = stage;
  const isAllowed = authorization?.subject === own.subject;
  const forged = { how: 'claims', change: { g: { commands: 'run' }, uses: 9 }, signature: 'old' } as const;
  const shown =
    call.invitation === 'forged'
      ? tokenOf(forged, { ...sessions, own: { ...own, token: invitation } }, keys)
      : call.invitation === 'session'
        ? own.token
        : invitation;
  const violations = [...invited.violations];
  // With another body it would be another request.
  const twists = step.twists.filter(({ at }) => at !== 'body');
  if (isAllowed) stage.authorization = { ...authorization, sandbox: { id: own.sandboxId } };
  for (let time = 0; time < (call.invitation === 'used' ? 2 : 1); time++) {
    const taken = await take({ ...turn, isJoin: true }, joinDraft(shown, call.grant), {
      twists,
      token: { how: 'none' },
    });
    violations.push(...taken.violations);
    const isGood = invitation !== own.token && (call.invitation === 'good' || time === 0);
    const isOf = call.invitation === 'good' || call.invitation === 'used';
    if (taken.answer?.status === 201 && twists.length === 0 && !(isOf && isGood))
      violations.push(`joined by an invitation that is ${call.invitation}`);
  }
  stage.authorization = authorization;
  return violations;
}

function askedOf(
  request: Request,
  { stage, sessions, entry, cookie, isJoin }: Turn,
  trick: TokenTrick,
): Asked {
  const url = new URL(request.url);
  const path = url.pathname.replace(/^\/api\/sandbox/, '');
  const { headers } = request;
  const offered = headers.get('sec-websocket-protocol') ?? '';
  const [, token = ''] =
    /^bearer (\S+)$/i.exec(headers.get('authorization') ?? '') ??
    /e2b-edge\.bearer\.([^\s,]+)/.exec(offered) ??
    [];
  // A token that has run out is good for a fresh one.
  const isRefreshed = trick.how === 'signed' && trick.claims.exp === 1 && path === '/sessions/refresh';
  const who = isRefreshed
    ? sessions.own
    : Object.values(sessions).find((one) => isSameToken(one.token, token));
  const { sandbox, subject = '' } = stage.authorization ?? {};
  return {
    method: request.method,
    path,
    who,
    authorized: sandbox && {
      subject,
      ...('id' in sandbox && { sandboxId: sandbox.id }),
      keepAlive: sandbox.keepAlive !== false,
    },
    headers,
    place: previewPlace(url, stage.previewsAt === 'origins'),
    entry: cookie !== undefined && headers.get('cookie')?.includes(cookie) ? entry : undefined,
    token,
    idempotencyKey: headers.get('idempotency-key'),
    ...(isJoin && path === '/sessions' && { isJoin }),
  };
}

function count(tally: Tally, what: string): void {
  tally.set(what, (tally.get(what) ?? 0) + 1);
}
