import type { Authorization } from '../../../src/broker/authorization.js';
import type { Grant } from '../../../src/wire/session.js';
import type { Call } from '../arbitraries/calls.js';
import type { TokenTrick } from '../arbitraries/tokens.js';
import type { Twist } from '../arbitraries/twists.js';
import { judgeGrant } from '../law/judge-grant.js';
import { join } from './join.js';
import type { Keys } from './keys.js';
import { runStep, type Tally } from './run-step.js';
import { type Others, setStage } from './stage.js';
import type { Sessions } from './tamper.js';
import type { Mood, World } from './world.js';

/** A page that was granted something, and what it does then. */
export interface Case {
  keys: Keys['name'];
  place: World['place'];
  withStore: boolean;
  previewsAt: 'path' | 'origins';
  grant: Grant;
  /** Whose processes it has, where not its own. */
  processesOf: string | undefined;
  life: { keepAlive: boolean; endWithSession: boolean };
  /** Whom it invites before it begins: what may be passed on, what is, and what the application allows them. */
  guest: { invite: Grant; asked: Grant | undefined; allowed: Grant } | undefined;
  /** The sandbox sleeps by then. */
  isPaused: boolean;
  /** What the application answers to the page's own requests for sessions. */
  application: 'the same' | 'no' | 'a template';
  moods: { envd: Mood; control: Mood };
  steps: { call: Call; token: TokenTrick; twists: Twist[]; times: number }[];
}

/** Does what a case says, and gives everything that was unlawful about it. */
export async function runCase(one: Case, keys: Keys, others: Others, tally: Tally): Promise<string[]> {
  const { withStore, previewsAt, processesOf, guest } = one;
  const stage = setStage(keys, one.place, { withStore, previewsAt });
  const { world } = stage;
  const authorization: Authorization = {
    subject: 'ann',
    sandbox: { id: 'sandboxone', ...one.life },
    grants: one.grant,
    ...(processesOf !== undefined && { processesOf }),
    ...(guest && { invite: asPassedOn(guest.invite, one.grant) }),
  };
  const own = await stage.mint(authorization);
  const wrong = judgeGrant(own.grant, one.grant);
  if (wrong) return [`minted: ${wrong}`];
  world.programs.push(...others.programs.map((program) => ({ ...program })));
  world.strictPrograms = others.strictPrograms;
  const sessions: Sessions = { own, ...structuredClone(others.sessions) };
  const violations: string[] = [];
  if (guest) {
    const asked = guest.asked && asPassedOn(guest.asked, one.grant);
    const allowed = asPassedOn(guest.allowed, one.grant);
    const came = await join(stage, sessions, { asked, allowed }, authorization.invite);
    if (typeof came === 'string') violations.push(came);
    else sessions.guest = came;
  }
  stage.authorization =
    one.application === 'no'
      ? null
      : one.application === 'the same'
        ? authorization
        : { ...authorization, sandbox: { template: 'base', ...one.life } };
  Object.assign(world, { envdMood: one.moods.envd, controlMood: one.moods.control });
  if (one.isPaused) world.paused.add('sandboxone');
  for (const [index, step] of one.steps.entries()) {
    for (let time = 0; time < step.times; time++) {
      const found = await runStep(stage, step, sessions, keys, tally);
      violations.push(...found.map((violation) => `step ${index}: ${violation}`));
    }
  }
  return violations;
}

/** Who is invited is in the same terminals, so as the same Linux user. */
function asPassedOn({ user: _user, strict, ...grant }: Grant, { user }: Grant): Grant {
  return user === undefined ? grant : { ...grant, user, ...(strict && { strict }) };
}
