import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type BrokerCore, createBrokerCore } from '../../../src/broker/broker-core.js';
import type { BrokerEvent } from '../../../src/broker/broker-event.js';
import type { BrokerOptions } from '../../../src/broker/broker-options.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { Filesystem } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import { ptyProtocol } from '../../../src/wire/pty-frame.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import { type FakeE2B, startFakeE2B } from './support/fake-e2b.js';
import { bearer, everything, origin, refusal, secret } from './support/harness.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const rpcPath = (method: { parent: { typeName: string }; name: string }) =>
  `${method.parent.typeName}/${method.name}`;
let fake: FakeE2B;
let core: BrokerCore<undefined>;
let events: BrokerEvent[];

beforeEach(async () => {
  fake = await startFakeE2B();
  core = start();
});
afterEach(() => fake.close());

function start(
  more: Partial<BrokerOptions<undefined>> = {},
  grants: Grant = everything,
): BrokerCore<undefined> {
  events = [];
  return createBrokerCore<undefined>({
    apiKey: fake.apiKey,
    apiUrl: fake.url,
    sandboxUrl: fake.url,
    signingKeys: { current: secret },
    origins: ['https://other.example', origin],
    basePath: '/api',
    store: createMemoryStore(),
    logger: (event) => events.push(event),
    authorize: () => ({ subject: 'ann', sandbox: { template: 'base' }, grants }),
    ...more,
  });
}
const send = (path: string, init: RequestInit = {}) =>
  core.handle(new Request(`https://any.test/api${path}`, init));
async function mint(): Promise<Session> {
  const headers = { 'content-type': 'application/json' };
  return (await (await send('/sessions', { method: 'POST', headers })).json()) as Session;
}
const common = (event: BrokerEvent | undefined) => ({
  'x-request-id': event?.requestId,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
});

describe('an upgrade', () => {
  const join = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    core.upgrade<unknown>(
      new Request(`https://any.test/api${path}`, { method, headers }),
      {},
      { terminal: (upgrade) => ({ upgrade }), preview: () => 'a preview' },
    );
  const protocol = { 'sec-websocket-protocol': `x, ${ptyProtocol}` };

  test('of a terminal is the host’s to accept', async () => {
    const accepted = await join('/pty/i1', { ...protocol, origin, traceparent });
    expect(accepted).toEqual({ upgrade: { sandboxId: 'i1', trace: { traceparent } } });
    expect(events).toMatchObject([
      { action: 'pty', outcome: 'allowed', status: 101, sandboxId: 'i1', traceparent },
    ]);
  });

  test('of a page of another origin is accepted to be closed with the reason, and logged as refused', async () => {
    const accepted = await join('/pty/i1', { ...protocol, origin: 'https://evil.example' });
    expect(accepted).toMatchObject({ upgrade: { close: { reason: 'origin_not_allowed' } } });
    expect(events).toMatchObject([
      { action: 'pty', outcome: 'refused', status: 403, code: 'origin_not_allowed', sandboxId: 'i1' },
    ]);
  });

  test.each<[string, string, string, Record<string, string>, number, string]>([
    ['at no route', '/nowhere', 'GET', protocol, 404, 'route_not_found'],
    ['at another route', '/envd/i1/health', 'GET', protocol, 404, 'route_not_found'],
    ['by another method', '/pty/i1', 'POST', protocol, 405, 'method_not_allowed'],
    ['without our protocol', '/pty/i1', 'GET', {}, 400, 'invalid_argument'],
    [
      'with too large headers',
      '/pty/i1',
      'GET',
      { ...protocol, x: 'x'.repeat(20_000) },
      431,
      'headers_too_large',
    ],
  ])('%s is refused', async (_what, path, method, headers, status, code) => {
    const response = (await join(path, headers, method)) as Response;
    expect(Object.fromEntries(response.headers)).toMatchObject(common(events[0]));
    expect(await refusal(response)).toEqual({ status, code });
    expect(events).toMatchObject([{ action: 'pty', outcome: 'refused', status, code }]);
  });

  test('that the host fails at is answered', async () => {
    const accept = { terminal: () => Promise.reject(new Error('secret')), preview: () => undefined };
    const request = new Request('https://any.test/api/pty/i1', { headers: protocol });
    const response = (await core.upgrade<unknown>(request, {}, accept)) as Response;
    expect(await response.clone().text()).not.toContain('secret');
    expect(await refusal(response)).toEqual({ status: 500, code: 'internal' });
    expect(events).toMatchObject([{ action: 'pty', outcome: 'failed', code: 'internal' }]);
  });
});

describe('the token of a terminal', () => {
  test('is logged as it is judged, and tells nothing but the reason', async () => {
    const { token, sandboxId, sessionId } = await mint();
    events.length = 0;
    const session = await core.authorizePty(token, sandboxId, {}, { traceparent });
    expect(session).toMatchObject({ mode: 'write', envdVersion: '0.6.13' });
    await expect(core.authorizePty('nonsense', sandboxId)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(core.authorizePty(token, 'i999')).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(events).toMatchObject([
      { action: 'pty', outcome: 'allowed', status: 101, sessionId, sandboxId, traceparent },
      { action: 'pty', outcome: 'refused', status: 401, code: 'unauthenticated' },
      { action: 'pty', outcome: 'refused', status: 401, code: 'unauthenticated', sessionId },
    ]);
  });

  test('keeps its sandbox with the credentials of the moment', async () => {
    const keys = ['e2b_first'];
    core = start({ apiKey: () => keys.at(-1) as string });
    const { token, sandboxId } = await mint();
    const { life } = await core.authorizePty(token, sandboxId);
    keys.push('e2b_second');
    await life.keepAlive?.extend();
    expect(fake.control.at(-1)?.path).toBe(`/sandboxes/${sandboxId}/refreshes`);
    expect(fake.control.at(-1)?.headers['x-api-key']).toBe('e2b_second');
  });

  test('that nothing is behind is internal, without a word of it', async () => {
    const { token, sandboxId } = await mint();
    core = start({ origins: ['nonsense'] });
    await expect(core.authorizePty(token, sandboxId)).rejects.toMatchObject({ code: 'broker_misconfigured' });
    expect(events).toMatchObject([{ outcome: 'failed', code: 'broker_misconfigured' }]);
  });
});

describe('a revocation', () => {
  test('is logged with whom it was of', async () => {
    const { sessionId } = await mint();
    events.length = 0;
    await core.revoke({ sessionId });
    await core.revoke({ subject: 'bob' });
    expect(events).toMatchObject([
      { action: 'revoke', outcome: 'allowed', status: 204, sessionId },
      { action: 'revoke', outcome: 'allowed', status: 204, subject: 'bob' },
    ]);
  });

  test('that fails is logged, and tells who asked for it', async () => {
    core = start({ store: undefined });
    await expect(core.revoke({ subject: 'bob' })).rejects.toMatchObject({ code: 'no_store' });
    expect(events).toMatchObject([{ action: 'revoke', code: 'no_store' }]);
    expect(events[0]).not.toHaveProperty('subject');
  });

  test('holds also where the sandbox that ends with it cannot be killed', async () => {
    core = start({
      authorize: () => ({
        subject: 'ann',
        sandbox: { template: 'base', endWithSession: true },
        grants: everything,
      }),
    });
    const session = await mint();
    fake.onControl = ({ method }, response) => {
      if (method === 'DELETE') response.writeHead(500).end();
      return method === 'DELETE';
    };
    const { sessionId, sandboxId } = session;
    await expect(core.revoke({ sessionId })).rejects.toMatchObject({ code: 'upstream_unavailable' });
    expect(events.at(-1)).toMatchObject({ action: 'revoke', outcome: 'failed', sessionId });
    const health = await send(`/envd/${sandboxId}/health`, { headers: bearer(session) });
    expect(await refusal(health)).toEqual({ status: 401, code: 'session_revoked' });
    fake.onControl = undefined;
    await core.revoke({ sessionId });
    expect(fake.sandboxes.size).toBe(0);
  });
});

describe('sandboxes that end with sessions', () => {
  const ending = (more: Partial<BrokerOptions<undefined>> = {}, sandbox = {}) =>
    start({
      ...more,
      authorize: () => ({
        subject: 'ann',
        sandbox: { template: 'base', endWithSession: true, ...sandbox },
        grants: everything,
      }),
    });

  test('are all that a subject was given so, and no others', async () => {
    await mint();
    const store = createMemoryStore();
    core = ending({ store });
    await mint();
    await mint();
    expect([...fake.sandboxes.keys()]).toEqual(['i1', 'i2', 'i3']);
    await core.revoke({ subject: 'bob' });
    expect(fake.sandboxes.size).toBe(3);
    await core.revoke({ subject: 'ann' });
    expect([...fake.sandboxes.keys()]).toEqual(['i1']);
  });

  test('are remembered for as long as their session may last, under no readable name', async () => {
    const store = createMemoryStore();
    const set = vi.fn(store.set);
    core = ending({ store: { ...store, set } });
    const { sessionId, sandboxId } = await mint();
    const kept = set.mock.calls.find(([, value]) => value === sandboxId);
    expect(kept?.[0]).toMatch(/^[a-z0-9:-]+$/);
    expect(kept?.[0]).not.toContain(sessionId);
    expect(Math.abs((kept?.[2] as number) - Date.now() - 28_800_000)).toBeLessThan(5_000);
    set.mockClear();
    core = start({ store: { ...store, set } });
    const other = await mint();
    expect(set.mock.calls.some(([, value]) => value === other.sandboxId)).toBe(false);
  });

  test('need no store to be given out', async () => {
    core = ending({ store: undefined });
    expect((await mint()).sandboxId).toBe('i1');
  });

  test('are known to be gone by whoever else has them', async () => {
    let sandbox: Record<string, unknown> = { template: 'base', endWithSession: true };
    core = start({
      authorize: () => ({ subject: 'ann', sandbox: sandbox as { id: string }, grants: everything }),
    });
    const first = await mint();
    sandbox = { id: first.sandboxId };
    const second = await mint();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
    await core.revoke({ sessionId: first.sessionId });
    fake.envd.length = 0;
    const health = await send(`/envd/${second.sandboxId}/health`, { headers: bearer(second) });
    vi.useRealTimers();
    expect(await refusal(health)).toEqual({ status: 404, code: 'sandbox_not_found' });
    expect(fake.envd).toEqual([]);
  });
});

describe('an answer', () => {
  test('is about the request that it answers, whatever that was', async () => {
    const response = core.unreadable();
    expect(Object.fromEntries(response.headers)).toMatchObject(common(events[0]));
    expect(await refusal(response)).toEqual({ status: 400, code: 'unreadable_request' });
    expect(events).toMatchObject([
      { action: 'unknown', outcome: 'refused', status: 400, code: 'unreadable_request' },
    ]);
  });

  test('to a preflight is one, and to other OPTIONS is not', async () => {
    const headers = { origin, 'access-control-request-method': 'POST' };
    expect((await send('/sessions', { method: 'OPTIONS', headers })).status).toBe(204);
    expect((await send('/sessions', { method: 'OPTIONS', headers: { origin } })).status).toBe(405);
    const post = await send('/envd/i1/health', { method: 'POST', headers });
    expect(post.status).toBe(405);
    expect(events).toMatchObject([
      { action: 'preflight', outcome: 'allowed', status: 204 },
      { action: 'unknown', outcome: 'refused', status: 405 },
      { action: 'unknown', outcome: 'refused', status: 405 },
    ]);
  });

  test('is readable for our pages also where an option cannot be used', async () => {
    core = start({ domain: 'https://wrong' });
    const response = await send('/nowhere', { headers: { origin } });
    expect(await refusal(response)).toEqual({ status: 500, code: 'broker_misconfigured' });
    expect(String(events[0]?.cause)).toMatch(/^Error: .+: .*`domain`/);
  });

  test('to a call that is refused is the end of its stream where it is one', async () => {
    core = start({}, { pty: 'read' });
    const session = await mint();
    const call = async (path: string, type: string) => {
      const headers = { ...bearer(session), 'content-type': type };
      const body = type.includes('connect') ? new Uint8Array(5) : '{"path":"/a"}';
      const response = await send(`/envd/${session.sandboxId}/${path}`, { method: 'POST', headers, body });
      return [response.status, response.headers.get('content-type')];
    };
    for (const type of ['application/connect+proto', 'application/connect+json']) {
      expect(await call(rpcPath(Process.method.start), type)).toEqual([200, type]);
    }
    const own = 'application/json';
    expect(await call(rpcPath(Filesystem.method.makeDir), 'application/json')).toEqual([403, own]);
    expect(await call(rpcPath(Process.method.start), 'text/plain')).toEqual([415, own]);
    expect(await call('process.Process/Nothing', 'application/connect+proto')).toEqual([404, own]);
    const headers = { ...bearer(session), 'content-type': 'application/connect+proto' };
    const download = await send(`/envd/${session.sandboxId}/files?path=/a`, { headers });
    expect([download.status, download.headers.get('content-type')]).toEqual([403, own]);
  });
});
