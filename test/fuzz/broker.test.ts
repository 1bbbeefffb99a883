/**
 * Pages that try everything: whatever tokens, paths, headers, bodies and routes they make up, nothing reaches the upstream
 * that their grant does not allow, nothing of it reaches them, and each gets a proper answer. What is allowed is written
 * down in `law/`, from the specification alone.
 *
 * `npm run fuzz:broker` with `FUZZ_CASES` tries more; `FUZZ_SEED` and `FUZZ_PATH`, as a failure prints them, repeat it.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cases } from './arbitraries/cases.js';
import { makeKeys } from './support/keys.js';
import { runCase, type Tally } from './support/run-case.js';
import { type Others, prepareOthers } from './support/stage.js';

const numRuns = Number(process.env.FUZZ_CASES ?? 5000);
/** The same at each run of all tests; another one whenever more is asked for. */
const seed = Number(process.env.FUZZ_SEED ?? (process.env.FUZZ_CASES ? Date.now() % 2 ** 31 : 20_261_123));
const path = process.env.FUZZ_PATH;
/** Tokens end after five minutes. */
const othersLastMs = 120_000;

/** What has to come to pass now and then, or the law would be kept by nobody doing anything. */
const milestones = [
  ...[
    'Start',
    'Connect',
    'SendInput',
    'SendSignal',
    'Update',
    'CloseStdin',
    'List',
    'Stat',
    'ListDir',
    'WatchDir',
  ],
  ...['MakeDir', 'Remove', 'Move', 'GET /files', 'POST /files', 'GET /health'],
  ...['GET /sandboxes/:id', 'POST /v2/sandboxes', 'POST /v2/sandboxes/:id/connect', 'DELETE /sandboxes/:id'],
  ...[
    'answer 201 ',
    'answer 403 permission_denied',
    'answer 401 unauthenticated',
    'answer 401 token_expired',
  ],
  ...[
    'answer 401 session_expired',
    'answer 401 session_revoked',
    'answer 403 session_refused',
    'answer 409 duplicate_request',
  ],
];

test(`${numRuns} cases of seed ${seed} break no law`, { timeout: 3_600_000 }, async () => {
  const keys = makeKeys();
  const others = new Map<string, Others>();
  const tally: Tally = new Map();
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const own = keys.find(({ name }) => name === one.keys)!;
      let rest = others.get(own.name);
      if (!rest || Date.now() - rest.madeAt > othersLastMs) {
        rest = await prepareOthers(own);
        others.set(own.name, rest);
      }
      expect(await runCase(one, own, rest, tally)).toEqual([]);
    }),
    { numRuns, seed, ...(path !== undefined && { path }) },
  );
  if (process.env.FUZZ_TALLY)
    for (const [what, times] of [...tally].sort()) console.log(`${times} × ${what}`);
  if (path === undefined && numRuns >= 5000)
    expect(milestones.filter((what) => !tally.has(what))).toEqual([]);
});
