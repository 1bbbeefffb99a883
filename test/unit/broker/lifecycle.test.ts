import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LifecycleGrant, Session } from '../../../src/wire/session.js';
import { envdToken, json } from './support/fake-e2b.js';
import { bearer, everything, type Harness, origin, refusal, startHarness } from './support/harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(() => harness.close());

/** A call below the session's own address. */
function call(session: Session, what: string, body?: unknown): Promise<Response> {
  const method = what.startsWith('metrics') || what === '' ? 'GET' : 'POST';
  return harness.send(`/sessions/${session.sessionId}${what && `/${what}`}`, {
    method,
    headers: { ...bearer(session), 'content-type': 'application/json', origin },
    ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
  });
}

function withLifecycle(...lifecycle: LifecycleGrant[]): Promise<Session> {
  return harness.session({ pty: 'write', lifecycle });
}

const controlCalls = () => harness.fake.control.map(({ method, path, body }) => `${method} ${path} ${body}`);
const sandboxOf = (session: Session) => harness.fake.sandboxes.get(session.sandboxId);

describe('the information', () => {
  test('is what the control plane knows, without what opens the sandbox', async () => {
    const session = await harness.mint();
    const response = await harness.send(`/sessions/${session.sessionId}`, { headers: bearer(session) });
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      sandboxID: 'i1',
      templateID: 'base',
      state: 'running',
      cpuCount: 2,
    });
    expect(text).not.toContain(envdToken);
    expect(text).not.toContain('e2bEdgeSubject');
  });

  test('needs the grant, and is of one’s own session alone', async () => {
    const session = await harness.session({ pty: 'write' });
    const own = await harness.send(`/sessions/${session.sessionId}`, { headers: bearer(session) });
    expect(await refusal(own)).toEqual({ status: 403, code: 'permission_denied' });
    const other = await harness.send(`/sessions/${crypto.randomUUID()}`, { headers: bearer(session) });
    expect(await refusal(other)).toEqual({ status: 404, code: 'route_not_found' });
  });
});

describe('each call', () => {
  test.each<[string, LifecycleGrant, unknown]>([
    ['', 'info', undefined],
    ['metrics', 'info', undefined],
    ['extend', 'extend', { timeoutMs: 60_000 }],
    ['pause', 'pause', {}],
    ['resume', 'pause', {}],
    ['kill', 'kill', {}],
  ])('/%s needs its own grant, %s', async (what, grant, body) => {
    const others = (['info', 'extend', 'pause', 'kill'] as const).filter((other) => other !== grant);
    const without = await withLifecycle(...others);
    harness.fake.control.length = 0;
    expect(await refusal(await call(without, what, body))).toEqual({
      status: 403,
      code: 'permission_denied',
    });
    expect(harness.fake.control).toEqual([]);
    const session = await withLifecycle(grant);
    expect((await call(session, what, body)).status).toBe(200);
    expect(harness.events.at(-1)).toMatchObject({ action: what || 'info', outcome: 'allowed' });
  });

  test('is of one’s own session alone, and needs its token', async () => {
    const session = await harness.session(everything);
    const other = await harness.session(everything);
    harness.fake.control.length = 0;
    for (const what of ['metrics', 'extend', 'pause', 'resume', 'kill', '']) {
      const swapped = await call({ ...session, token: other.token }, what, { timeoutMs: 60_000 });
      expect(await refusal(swapped)).toEqual({ status: 404, code: 'route_not_found' });
      const bare = await call({ ...session, token: 'x' }, what, { timeoutMs: 60_000 });
      expect(await refusal(bare)).toEqual({ status: 401, code: 'unauthenticated' });
    }
    expect(harness.fake.control).toEqual([]);
  });

  test('takes JSON alone, which no form of another site can send', async () => {
    const session = await harness.session(everything);
    for (const what of ['extend', 'pause', 'resume']) {
      const response = await harness.send(`/sessions/${session.sessionId}/${what}`, {
        method: 'POST',
        headers: { ...bearer(session), 'content-type': 'text/plain' },
        body: '{}',
      });
      expect(await refusal(response)).toEqual({ status: 415, code: 'unsupported_media_type' });
    }
  });
});

describe('metrics', () => {
  test('are those of the control plane, for the time that is asked for', async () => {
    const session = await withLifecycle('info');
    expect(await (await call(session, 'metrics?start=100&end=200')).json()).toEqual([{ cpuUsedPct: 7 }]);
    const { path, query } = harness.fake.control.at(-1) ?? {};
    expect([path, String(query)]).toEqual([`/sandboxes/${session.sandboxId}/metrics`, 'start=100&end=200']);
    expect(await refusal(await call(session, 'metrics?start=yesterday'))).toEqual({
      status: 400,
      code: 'invalid_argument',
    });
  });
});

describe('an extension', () => {
  test('never brings the end nearer, also where the control plane’s call would', async () => {
    const session = await withLifecycle('extend');
    const sandbox = sandboxOf(session);
    if (sandbox) sandbox.endAt = new Date(Date.now() + 7_200_000).toISOString();
    harness.fake.control.length = 0;
    expect(await (await call(session, 'extend', { timeoutMs: 60_500 })).json()).toEqual({
      endAt: sandbox?.endAt,
    });
    await call(session, 'extend', { timeoutMs: 5_400_000 });
    await call(session, 'extend', { timeoutMs: 10_800_000 });
    expect(controlCalls().filter((line) => !line.startsWith('GET'))).toEqual([
      `POST /sandboxes/${session.sandboxId}/refreshes {"duration":61}`,
      `POST /sandboxes/${session.sandboxId}/timeout {"timeout":10800}`,
    ]);
  });

  test.each([undefined, 300, '60000', null, 86_400_001, Number.NaN])(
    'of %j is refused',
    async (timeoutMs) => {
      const session = await withLifecycle('extend');
      harness.fake.control.length = 0;
      const response = await call(session, 'extend', { timeoutMs });
      expect(await refusal(response)).toEqual({ status: 400, code: 'invalid_argument' });
      expect(harness.fake.control).toEqual([]);
    },
  );

  test('of one that is paused is refused, and does not wake it', async () => {
    const session = await withLifecycle('extend');
    Object.assign(sandboxOf(session) ?? {}, { state: 'paused' });
    const response = await call(session, 'extend', { timeoutMs: 60_000 });
    expect(await refusal(response)).toEqual({ status: 409, code: 'sandbox_paused' });
    expect(sandboxOf(session)?.state).toBe('paused');
  });
});

describe('a pause', () => {
  test('is told of once, keeps the memory unless that is not wanted, and is undone by a resume', async () => {
    const session = await withLifecycle('pause');
    expect(await (await call(session, 'pause')).json()).toEqual({ paused: true });
    expect(await (await call(session, 'pause', { keepMemory: false })).json()).toEqual({ paused: false });
    expect(controlCalls().slice(-2)).toEqual([
      `POST /sandboxes/${session.sandboxId}/pause {}`,
      `POST /sandboxes/${session.sandboxId}/pause {"memory":false}`,
    ]);
    expect(await refusal(await call(session, 'pause', { keepMemory: 'no' }))).toMatchObject({ status: 400 });
    expect(await (await call(session, 'resume')).json()).toEqual({ resumed: true });
    expect(await (await call(session, 'resume')).json()).toEqual({ resumed: false });
    expect(sandboxOf(session)?.state).toBe('running');
  });

  test('answers calls with sandbox_paused, whatever they are, and asks why once for many', async () => {
    const session = await harness.session(everything);
    await call(session, 'pause');
    harness.fake.control.length = 0;
    for (const path of ['health', 'files?path=/a', 'process.Process/List']) {
      const response = await harness.send(`/envd/${session.sandboxId}/${path}`, {
        method: path.includes('List') ? 'POST' : 'GET',
        headers: { ...bearer(session), 'content-type': 'application/proto' },
        ...(path.includes('List') && { body: new Uint8Array() }),
      });
      expect(await refusal(response)).toEqual({ status: 409, code: 'sandbox_paused' });
    }
    expect(controlCalls()).toEqual([`GET /sandboxes/${session.sandboxId} `]);
    await call(session, 'resume');
    const after = await harness.send(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
    expect(after.status).toBe(204);
  });

  test('is not one where the sandbox is gone, or on its way between', async () => {
    const session = await harness.session(everything);
    harness.fake.onEnvd = (_, response) => {
      json(response, 502, { sandboxId: session.sandboxId, message: 'The sandbox was not found', code: 502 });
      return true;
    };
    const health = () => harness.send(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
    const busy = await health();
    expect(busy.headers.get('retry-after')).toBe('1');
    expect(await refusal(busy)).toEqual({ status: 503, code: 'service_busy' });
    const other = await harness.session(everything);
    harness.fake.sandboxes.delete(other.sandboxId);
    const gone = await harness.send(`/envd/${other.sandboxId}/health`, { headers: bearer(other) });
    expect(await refusal(gone)).toMatchObject({ code: 'sandbox_not_found' });
  });

  test('outlasts a page that refreshes its session: that keeps a sandbox alive, and wakes none', async () => {
    const session = await harness.session(everything);
    await call(session, 'pause');
    harness.fake.control.length = 0;
    const refreshed = await harness.send('/sessions/refresh', { method: 'POST', headers: bearer(session) });
    expect(refreshed.status).toBe(200);
    expect(controlCalls()).toEqual([`GET /sandboxes/${session.sandboxId} `]);
    expect(sandboxOf(session)?.state).toBe('paused');
  });
});

describe('a resume', () => {
  const timeouts = () =>
    controlCalls()
      .filter((line) => line.includes('/connect'))
      .map((line) => JSON.parse(line.slice(line.indexOf('{'))).timeout);

  test('is for no longer than the application says, unless the page may extend', async () => {
    harness.authorization = {
      subject: 'ann',
      sandbox: { template: 'base', timeoutMs: 60_000 },
      grants: { lifecycle: ['pause'] },
    };
    const bound = await harness.mint();
    for (const timeoutMs of [undefined, 30_000, 3_600_000]) {
      await call(bound, 'pause');
      await call(bound, 'resume', { timeoutMs });
    }
    expect(timeouts()).toEqual([60, 30, 60]);
    harness.authorization = { ...harness.authorization, grants: { lifecycle: ['pause', 'extend'] } };
    const free = await harness.mint();
    await call(free, 'pause');
    await call(free, 'resume', { timeoutMs: 3_600_000 });
    expect(timeouts().at(-1)).toBe(3600);
  });

  test('of one that runs does not put off its end', async () => {
    const session = await withLifecycle('pause');
    harness.fake.control.length = 0;
    await call(session, 'resume', { timeoutMs: 60_000 });
    expect(controlCalls()).toEqual([`GET /sandboxes/${session.sandboxId} `]);
  });
});

describe('a kill', () => {
  test('tells whether there was anything to kill', async () => {
    const session = await withLifecycle('kill');
    expect(await (await call(session, 'kill')).json()).toEqual({ killed: true });
    expect(await (await call(session, 'kill')).json()).toEqual({ killed: false });
    expect(harness.fake.sandboxes.size).toBe(0);
  });
});
