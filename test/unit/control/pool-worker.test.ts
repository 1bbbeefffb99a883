/** Where a pool can be on Workers: what one request has begun, another cannot wait for, but in a Durable Object. */

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Sandbox } from '../../../src/control/sandbox.js';
import { startLocalE2B } from '../hosts/support/local-e2b.js';

let local: Awaited<ReturnType<typeof startLocalE2B>>;
let workerd: Miniflare;

beforeAll(async () => {
  local = await startLocalE2B();
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('./support/pool-worker.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    write: false,
    logLevel: 'error',
  });
  workerd = new Miniflare({
    modules: true,
    script: bundle.outputFiles[0]!.text,
    compatibilityDate: '2026-04-01',
    bindings: { E2B_API_KEY: local.server.apiKey, E2B_URL: local.server.apiUrl },
    durableObjects: { POOL: 'PoolObject' },
  });
  await workerd.ready;
});

afterAll(async () => {
  await workerd?.dispose();
  await local?.close();
});

async function ask(path: string, method: string, command?: string): Promise<string> {
  const answer = await workerd.dispatchFetch(`http://worker.test${path}`, { method, body: command ?? null });
  return answer.text();
}

async function running(): Promise<number> {
  const { apiKey, apiUrl } = local.server;
  return (await Sandbox.list({ apiKey, apiUrl }).nextItems()).length;
}

test('in one request', async () => {
  expect(await ask('/', 'POST', 'echo alone')).toBe('alone\n');
  expect(await running()).toBe(0);
});

test('in a Durable Object, whose requests share it and wait for each other', async () => {
  const numbers = [1, 2, 3, 4];
  const answers = await Promise.all(numbers.map((number) => ask('/object', 'POST', `echo ${number}`)));
  expect(answers).toEqual(numbers.map((number) => `${number}\n`));
  // After the last request there is one warm again, although no request is there to wait for it.
  await expect.poll(running).toBe(1);
  expect(await ask('/object', 'POST', 'echo later')).toBe('later\n');
  expect(await ask('/object', 'DELETE')).toBe('drained');
  expect(await running()).toBe(0);
});
