import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** A Worker whose configuration lacks the Durable Object. */
const script = `
import { createBroker } from './src/broker-cloudflare.ts';
const events = [];
const broker = createBroker({
  apiKey: 'e2b_00',
  signingKeys: { current: 'a secret of more than thirty-two bytes' },
  origins: ['https://app.example'],
  authorize: () => null,
  logger: ({ cause, ...event }) => events.push({ ...event, cause: String(cause) }),
});
export default {
  fetch: (request, env, ctx) =>
    request.url.endsWith('/events') ? Response.json(events) : broker(request, { env, ctx }),
};`;

let worker: Miniflare;

beforeAll(async () => {
  const resolveDir = fileURLToPath(new URL('../../..', import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir },
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'error',
  });
  worker = new Miniflare({
    modules: true,
    script: outputFiles[0]?.text ?? '',
    compatibilityDate: '2026-04-01',
  });
  await worker.ready;
});

afterAll(() => worker.dispose());

test('a Worker without the Durable Object says so to its log, and not to the page', async () => {
  const answer = await worker.dispatchFetch('http://worker.test/pty/i1', {
    headers: { upgrade: 'websocket', 'sec-websocket-protocol': 'e2b-edge.pty.v1' },
  });
  expect(answer.status).toBe(500);
  const body = await answer.text();
  expect(JSON.parse(body)).toMatchObject({ code: 'broker_misconfigured' });
  expect(body).not.toContain('PTY_HUB');
  const events = await worker.dispatchFetch('http://worker.test/events');
  expect(await events.json()).toMatchObject([
    {
      action: 'pty',
      outcome: 'failed',
      code: 'broker_misconfigured',
      cause: expect.stringContaining('bind the exported class PtyHub as PTY_HUB'),
    },
  ]);
});
