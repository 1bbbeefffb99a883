/** Many creates at once, some of them given up on the way: what is there in the end is what somebody holds. */

import { expect, test } from 'vitest';
import { Sandbox } from '../../../src/index.js';
import { startServer } from '../local/support/server.js';

/** More of both by hand: `CREATES=200 ABORTS=50`. */
const creates = Number(process.env.CREATES ?? 40);
const aborts = Number(process.env.ABORTS ?? 12);

test(`of ${creates} creates at once, ${aborts} given up, no sandbox is left that nobody holds`, async () => {
  const { apiKey, apiUrl, sandboxUrl } = await startServer();
  const key = { apiKey, apiUrl, sandboxUrl };
  const works: Promise<void>[] = [];
  const moments = Array.from({ length: aborts }, () => Math.floor(Math.random() * (creates - aborts)));
  // Spread among the others, so that some are asked for, some under way and some done at their moments.
  const every = Math.floor(creates / aborts);
  const abandoned = new Map(
    moments.map((moment, index) => [index * every, { moment, abort: new AbortController() }]),
  );
  let done = 0;
  const abortWhatIsDue = (): void => {
    for (const { moment, abort } of abandoned.values()) if (moment === done) abort.abort();
  };

  const creations = Array.from({ length: creates }, async (_, index) => {
    const signal = abandoned.get(index)?.abort.signal;
    const sandbox = await Sandbox.create({
      ...key,
      requestTimeoutMs: 0,
      ...(signal && { signal }),
      waitUntil: (work) => void works.push(work),
    });
    // Those that are not given up tell how far it is, whatever the speed.
    if (!signal) done++;
    abortWhatIsDue();
    return sandbox;
  });
  abortWhatIsDue();
  const outcomes = await Promise.allSettled(creations);
  await Promise.all(works);

  const held = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value.sandboxId] : [],
  );
  const there: string[] = [];
  for await (const { sandboxId } of Sandbox.list(key)) there.push(sandboxId);
  expect(there.sort(), `aborted when these many were done: ${moments.join(' ')}`).toEqual(held.sort());
  const failed = outcomes.flatMap((outcome, index) =>
    outcome.status === 'rejected' && !abandoned.has(index) ? [outcome.reason] : [],
  );
  expect(failed).toEqual([]);
}, 120_000);
