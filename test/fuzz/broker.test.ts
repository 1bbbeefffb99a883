/**
 * Pages that try everything: whatever tokens, paths, headers, bodies and routes they make up, nothing reaches the upstream
 * that their grant does not allow, nothing of it reaches them, and each gets a proper answer. What is allowed is written
 * down in `law/`, from the specification alone.
 *
 * `FUZZ_CASES=200000 npm run fuzz:broker` tries more. `FUZZ_SEED=… FUZZ_PATH=… npm run fuzz:broker -- broker.test.ts`
 * repeats a failure, as it prints them.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cases } from './arbitraries/cases.js';
import { makeKeys } from './support/keys.js';
import { runCase } from './support/run-case.js';
import type { Tally } from './support/run-step.js';
import { numRuns, path, seed } from './support/settings.js';
import { type Others, prepareOthers } from './support/stage.js';

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
  ...['preview 200 ', 'preview 302 ', 'preview 401 unauthenticated', 'preview 403 origin_not_allowed'],
  ...['socket to a preview', 'terminal welcome', 'terminal closed 4403', 'StreamInput', 'token guest: 200'],
  ...['answer 403 invitation_invalid', 'answer 409 sandbox_paused'],
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
