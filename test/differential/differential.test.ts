/**
 * The local server against a real envd: the same calls to both, and every answer compared. Run by
 * `ENVD_URL=http://127.0.0.1:PORT npm run differential` with an envd built from its source, which serves as root and
 * takes files and commands from whoever reaches it: start it in a network of its own, as
 *
 *     unshare -n sh -c 'ip link set lo up; envd -isnotfc -no-cgroups -port PORT & ENVD_URL=… npm run differential'
 *
 * `SEED` and `CALLS` repeat a run that failed.
 */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSandbox, envdHeaders, startServer } from '../unit/local/support/server.js';
import { ask, type Target } from './ask.js';
import { type Call, calls } from './calls.js';
import { type Comparable, comparable } from './comparable.js';
import { knownDifferences } from './known-differences.js';

const seed = Number(process.env.SEED ?? 20_261_123);
const count = Number(process.env.CALLS ?? 1200);
const shown = 25;

test(`${count} calls of seed ${seed} are answered alike`, async (context) => {
  const url = process.env.ENVD_URL;
  if (!url) return context.skip('ENVD_URL does not name a real envd to compare with');
  const server = await startServer();
  const sandbox = await createSandbox(server);
  const real: Target = { url, headers: {} };
  const local: Target = { url: server.sandboxUrl, headers: envdHeaders(sandbox) };
  const scratch = `/tmp/differential-${randomBytes(6).toString('hex')}`;
  await both(real, local, makeDir(scratch));

  const used = new Map<string, number>();
  const differences: string[] = [];
  const sample = fc.sample(calls(scratch), { seed, numRuns: count });
  for (const [index, call] of sample.entries()) {
    const [expected, actual] = await both(real, local, call);
    if (JSON.stringify(expected) === JSON.stringify(actual)) continue;
    const known = knownDifferences.find((one) => one.explains(call, expected, actual));
    if (known) used.set(known.name, (used.get(known.name) ?? 0) + 1);
    else differences.push(describe(index, call, expected, actual));
  }
  await both(real, local, { ...makeDir(scratch), method: 'Remove' });

  for (const [name, times] of used) console.log(`${times} times: ${name}`);
  if (differences.length > shown) differences.splice(shown, differences.length, '…');
  expect(differences, `seed ${seed}`).toEqual([]);
});

function makeDir(path: string): Extract<Call, { kind: 'rpc' }> {
  return {
    kind: 'rpc',
    service: 'filesystem.Filesystem',
    method: 'MakeDir',
    codec: 'json',
    message: { path },
    headers: {},
  };
}

async function both(real: Target, local: Target, call: Call): Promise<[Comparable, Comparable]> {
  const answers = await Promise.all([real, local].map((target) => answerOf(target, call)));
  return [answers[0]!, answers[1]!];
}

/** A connection that breaks is an answer too. */
async function answerOf(target: Target, call: Call): Promise<Comparable> {
  try {
    return comparable(await ask(target, call));
  } catch (error) {
    const body = error instanceof Error ? error.message : String(error);
    return { status: 0, headers: {}, body, error: undefined };
  }
}

function describe(index: number, call: Call, real: Comparable, local: Comparable): string {
  const short = (value: unknown): string => {
    const text = JSON.stringify(value);
    return text.length > 1500 ? `${text.slice(0, 1500)}… (${text.length})` : text;
  };
  return [`call ${index}: ${short(call)}`, `  real  ${short(real)}`, `  local ${short(local)}`].join('\n');
}
