/**
 * What becomes of a server's failures in the official package and in this one. The table is committed; after a
 * change that is meant, `npx vitest run --project compat -u` writes it again.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { Sandbox as OfficialSandbox } from 'e2b';
import { isE2BEdgeError, Sandbox } from 'e2b-edge';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultServer, faults, faultTitles, startFaultServer } from './fault-server.js';

/** What both packages have of a sandbox, as far as it is used here. */
interface AnySandbox {
  commands: {
    list(options: { requestTimeoutMs: number }): Promise<unknown>;
    run(command: string, options: { requestTimeoutMs: number }): Promise<unknown>;
  };
  files: { read(path: string, options: { requestTimeoutMs: number }): Promise<unknown> };
  getInfo(options: { requestTimeoutMs: number }): Promise<unknown>;
  createSnapshot(options: { requestTimeoutMs: number }): Promise<unknown>;
}

const calls: [string, (sandbox: AnySandbox, options: { requestTimeoutMs: number }) => Promise<unknown>][] = [
  ['API call: `getInfo`', (sandbox, options) => sandbox.getInfo(options)],
  ['API call: `createSnapshot`', (sandbox, options) => sandbox.createSnapshot(options)],
  ['RPC: `commands.list`', (sandbox, options) => sandbox.commands.list(options)],
  ['RPC stream: `commands.run`', (sandbox, options) => sandbox.commands.run('true', options)],
  ['file: `files.read`', (sandbox, options) => sandbox.files.read('/x', options)],
];

let server: FaultServer;
let official: AnySandbox;
let ours: AnySandbox;

beforeAll(async () => {
  server = await startFaultServer();
  const options = {
    apiKey: `e2b_${'0'.repeat(40)}`,
    apiUrl: server.url,
    sandboxUrl: server.url,
    retries: 1,
  };
  official = await OfficialSandbox.create(options);
  ours = await Sandbox.create(options);
});

afterAll(() => server.close());

test('the table of errors is current', async () => {
  const lines = [
    '# What a failure becomes',
    '',
    '`e2b` is the official package, unmodified. In `e2b-edge` the stable `code` is given too, whether the request may have been',
    'executed all the same (`uncertain`), whether the same call may be made again without harm and may work then (`retryable`),',
    'and how many attempts were made, with `retries: 1`.',
    '',
    '| the server answers | to | `e2b` | `e2b-edge` | | attempts |',
    '|---|---|---|---|---|---|',
  ];
  for (const fault of faults) {
    for (const [what, call] of calls) {
      // A Connect error is an answer of RPC alone.
      if (fault === 'not_found' && !what.startsWith('RPC')) continue;
      server.fault = fault;
      if (fault === 'refuse') await server.toggle();
      // Both try again after a 429, so that takes its time; only the silent server is to be given up early.
      const options = { requestTimeoutMs: fault === 'timeout' ? 500 : 20_000 };
      const [theirs, mine] = await Promise.all([
        fault === 'timeout'
          ? untilItEnds(() => failure(call(official, options)))
          : failure(call(official, options)),
        failure(call(ours, options)),
      ]);
      if (fault === 'refuse') await server.toggle();
      lines.push(`| ${faultTitles[fault]} | ${what} | ${theirs} | ${mine} |`);
    }
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./error-table.md');
});

/**
 * The official package makes its timeouts by `AbortSignal.timeout`, which a Node that collects garbage at the wrong moment
 * forgets (nodejs/node#57736): now and then a call never ends. It is made again then.
 */
async function untilItEnds(call: () => Promise<string>): Promise<string> {
  for (;;) {
    const ended = await Promise.race([call(), delay(3000, undefined)]);
    if (ended !== undefined) return ended;
  }
}

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof DOMException) return `DOMException ${error.name}`;
    if (!isE2BEdgeError(error)) return error.name;
    const { name, code, uncertain, retryable, attempts } = error;
    const kind = [uncertain && 'uncertain', retryable && 'retryable'].filter(Boolean).join(', ');
    return `${name} \`${code}\` | ${kind} | ${attempts}`;
  }
}
