import fc from 'fast-check';
import type { Case } from '../support/run-case.js';
import type { Mood } from '../support/world.js';
import { type Call, calls } from './calls.js';
import { grants } from './grants.js';
import { tokenTricks } from './tokens.js';
import { type Twist, twists } from './twists.js';

const badMoods: readonly Mood[] = ['redirects', 'fails', 'lies', 'breaks', 'is down'];

function mood(weight: number): fc.Arbitrary<Mood> {
  return fc.oneof({ weight, arbitrary: fc.constant('well' as const) }, fc.constantFrom(...badMoods));
}

const step = fc.record({
  call: calls,
  token: tokenTricks,
  twists: fc.oneof(
    { weight: 1, arbitrary: fc.constant<Twist[]>([]) },
    { weight: 1, arbitrary: fc.array(twists, { minLength: 1, maxLength: 2 }) },
  ),
  // A browser sends a request again whose connection died.
  times: fc.constantFrom(1, 1, 1, 1, 2),
});

function ask(method: string, path: string, body?: unknown): Call {
  return { kind: 'session', method, path, body };
}

function as(how: 'own' | 'guest', call: Call): Case['steps'][number] {
  return { call, token: { how }, twists: [], times: 1 };
}

const health: Call = { kind: 'plain', method: 'GET', path: '/envd/:sandbox/health' };

/** What hardly comes about by chance: a sandbox that is woken for longer than it may be, a guest whose host has left. */
const scripts = fc.oneof<fc.Arbitrary<Partial<Case>>[]>(
  fc.constantFrom(undefined, { timeoutMs: 60_000 }, { timeoutMs: 3_600_000 }).map((body) => ({
    isPaused: true,
    steps: [as('own', ask('POST', '/sessions/:id/resume', body))],
  })),
  fc.record({ invite: grants, call: fc.oneof(calls, fc.constant(health)) }).map(({ invite, call }) => ({
    withStore: true,
    guest: { invite, asked: undefined, allowed: invite },
    steps: [as('own', ask('DELETE', '/sessions/:id')), as('guest', call)],
  })),
);

const chances: fc.Arbitrary<Case> = fc.record({
  keys: fc.constantFrom('HS256', 'EdDSA', 'ES256'),
  place: fc.constantFrom('address', 'hosts'),
  withStore: fc.boolean(),
  grant: grants,
  processesOf: fc.constantFrom(undefined, undefined, undefined, 'bob'),
  previewsAt: fc.constantFrom('path', 'origins'),
  isPaused: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, fc.constant(true)),
  guest: fc.oneof(
    { weight: 7, arbitrary: fc.constant(undefined) },
    fc.record({ invite: grants, asked: fc.oneof(fc.constant(undefined), grants), allowed: grants }),
  ),
  life: fc.record({ keepAlive: fc.boolean(), endWithSession: fc.boolean() }),
  application: fc.constantFrom('the same', 'the same', 'a template', 'no'),
  moods: fc.record({ envd: mood(15), control: mood(40) }),
  steps: fc.array(step, { minLength: 1, maxLength: 3 }),
});

export const cases: fc.Arbitrary<Case> = fc.oneof(
  { weight: 24, arbitrary: chances },
  { weight: 1, arbitrary: fc.tuple(chances, scripts).map(([one, script]) => ({ ...one, ...script })) },
);
