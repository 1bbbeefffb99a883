import fc from 'fast-check';
import type { Call } from './calls.js';
import { askedGrants } from './grants.js';
import { paths } from './paths.js';

const mintBody = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record(
      {
        sandboxId: fc.constantFrom(
          'sandboxone',
          'sandboxtwo',
          'sandboxbob',
          'none',
          'A',
          '../x',
          '',
          7,
          null,
        ),
        grant: askedGrants,
      },
      { requiredKeys: [] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown[]>(
      { direct: true },
      { direct: 'yes' },
      { invitation: 'x' },
      { invitation: 7 },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> },
);

function session(method: string, path: string, body: fc.Arbitrary<unknown>): fc.Arbitrary<Call> {
  return fc.record({
    kind: fc.constant('session' as const),
    method: fc.constant(method),
    path: fc.constant(path),
    body,
  });
}

const nothing = fc.constant(undefined);
const times = fc.oneof(
  fc.record({ timeoutMs: fc.oneof(fc.integer(), fc.constantFrom(60_000, '60', null, 1e99)) }),
  fc.jsonValue() as fc.Arbitrary<unknown>,
);
export const sessionCalls: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: session('POST', '/sessions', mintBody) },
  { weight: 2, arbitrary: session('POST', '/sessions/refresh', nothing) },
  session('GET', '/sessions/:id', nothing),
  session('DELETE', '/sessions/:id', nothing),
  session('POST', '/sessions/:id/kill', nothing),
  session('POST', '/sessions/:id/extend', times),
  session('POST', '/sessions/:id/pause', nothing),
  session('POST', '/sessions/:id/resume', times),
  session('GET', '/sessions/:id/metrics', nothing),
  session(
    'POST',
    '/sessions/:id/invite',
    fc.oneof(fc.record({ grant: askedGrants }), fc.jsonValue() as fc.Arbitrary<unknown>),
  ),
  {
    weight: 3,
    arbitrary: session(
      'POST',
      '/files/sign',
      fc.record(
        {
          path: paths,
          op: fc.constantFrom('read', 'read', 'write', 'all'),
          expiresInMs: fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.constantFrom(1e9, '1000')),
        },
        { requiredKeys: ['path', 'op'] },
      ),
    ),
  },
);
