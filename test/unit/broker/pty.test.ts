import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type BrokerCore, createBrokerCore } from '../../../src/broker/broker-core.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { ptyProtocol } from '../../../src/wire/pty-frame.js';
import { type FakeE2B, startFakeE2B } from './support/fake-e2b.js';
import { everything, secret } from './support/harness.js';

let fake: FakeE2B;
let core: BrokerCore<undefined>;

beforeEach(async () => {
  fake = await startFakeE2B();
  core = createBrokerCore<undefined>({
    apiKey: fake.apiKey,
    apiUrl: fake.url,
    sandboxUrl: fake.url,
    signingKeys: { current: secret },
    origins: [],
    store: createMemoryStore(),
    authorize: () => ({ subject: 'ann', sandbox: { template: 'base' }, grants: everything }),
  });
});
afterEach(() => fake.close());

const send = (path: string, method: string, headers: Record<string, string> = {}) =>
  core.handle(new Request(`https://any.test${path}`, { method, headers }));

async function mint(): Promise<{ token: string; sessionId: string; sandboxId: string }> {
  const response = await send('/sessions', 'POST', { 'content-type': 'application/json' });
  return (await response.json()) as { token: string; sessionId: string; sandboxId: string };
}

describe('what a terminal asks upstream', () => {
  test('has the trace of its upgrade', async () => {
    const { token, sandboxId } = await mint();
    const trace = {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=1',
    };
    const accepted = await core.upgrade(
      new Request(`https://any.test/pty/${sandboxId}`, {
        headers: { ...trace, 'sec-websocket-protocol': ptyProtocol },
      }),
      {},
      { terminal: (upgrade) => upgrade as unknown, preview: () => undefined },
    );
    expect(accepted).toMatchObject({ sandboxId, trace });
    const { fetch, baseUrl } = await core.authorizePty(token, sandboxId, {}, trace);
    fake.envd.length = 0;
    await fetch(`${baseUrl}/process.Process/List`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(fake.envd[0]?.headers).toMatchObject(trace);
  });

  test('leads to where the sandbox is now, whatever was known before', async () => {
    const { token, sandboxId } = await mint();
    const { fetch, baseUrl } = await core.authorizePty(token, sandboxId);
    const list = () =>
      fetch(`${baseUrl}/process.Process/List`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
    fake.onEnvd = (_seen, response) => {
      response.writeHead(401).end();
      return true;
    };
    expect((await list()).status).toBe(502);
    fake.onEnvd = undefined;
    fake.control.length = 0;
    expect((await list()).status).toBe(200);
    vi.useRealTimers();
    expect(fake.control.map(({ path }) => path)).toEqual([`/sandboxes/${sandboxId}`]);
  });
});

describe('what a terminal may do', () => {
  test('ends with its session, also when that is revoked before its time', async () => {
    const { token, sessionId, sandboxId } = await mint();
    const { life } = await core.authorizePty(token, sandboxId);
    expect(life.until).toBeGreaterThan(Date.now() + 28_000_000);
    await life.check?.();
    await send(`/sessions/${sessionId}`, 'DELETE', { authorization: `Bearer ${token}` });
    await expect(life.check?.()).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('is terminals, and nothing else of what the session may', async () => {
    const { token, sandboxId } = await mint();
    const { fetch, baseUrl } = await core.authorizePty(token, sandboxId);
    fake.envd.length = 0;
    for (const [path, method] of [
      ['files?path=/etc/passwd', 'GET'],
      ['init', 'POST'],
      ['../../sessions', 'POST'],
    ] as const) {
      const response = await fetch(`${baseUrl}/${path}`, { method });
      expect([403, 404]).toContain(response.status);
    }
    expect(fake.envd).toEqual([]);
  });
});

test('a session is of its own sandbox alone', async () => {
  const [own, other] = [await mint(), await mint()];
  fake.envd.length = 0;
  const response = await send(`/envd/${other.sandboxId}/health`, 'GET', {
    authorization: `Bearer ${own.token}`,
  });
  expect(response.status).toBe(401);
  expect(fake.envd).toEqual([]);
});
