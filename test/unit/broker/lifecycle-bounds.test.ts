import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LifecycleGrant, Session } from '../../../src/wire/session.js';
import { json } from './support/fake-e2b.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(async () => {
  vi.useRealTimers();
  await harness.close();
});

const may = (...lifecycle: LifecycleGrant[]) => harness.session({ pty: 'write', lifecycle });
const get = (session: Session, what = '') =>
  harness.send(`/sessions/${session.sessionId}${what}`, { headers: bearer(session) });
const post = (session: Session, what: string, body: unknown = {}) =>
  harness.send(`/sessions/${session.sessionId}/${what}`, {
    method: 'POST',
    headers: { ...bearer(session), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
/** What the control plane was asked since, but for what only reads. */
const changes = () =>
  harness.fake.control
    .filter(({ method }) => method !== 'GET')
    .map(({ path, body }) => `${path.split('/').at(-1)} ${body}`);
const sandboxOf = (session: Session) => harness.fake.sandboxes.get(session.sandboxId) ?? { metadata: {} };

describe('what is told of a sandbox', () => {
  test('is what it is and how it does, and nothing that opens it or is kept with it', async () => {
    const session = await may('info');
    const told = {
      templateID: 'base',
      alias: 'mine',
      sandboxID: session.sandboxId,
      envdVersion: '0.6.13',
      state: 'running',
      startedAt: '2026-01-01T00:00:00Z',
      endAt: '2026-01-01T00:05:00Z',
      cpuCount: 2,
      memoryMB: 512,
      diskSizeMB: 1024,
    };
    const secrets = { envdAccessToken: 's', trafficAccessToken: 't', metadata: { a: 'b' }, domain: 'd' };
    harness.fake.onControl = (_seen, response) => {
      json(response, 200, { ...told, ...secrets, clientID: 'x', network: {} });
      return true;
    };
    expect(await (await get(session)).json()).toEqual(told);
  });

  test.each([
    ['', ''],
    ['?start=0', 'start=0'],
    ['?end=99999999999', 'end=99999999999'],
    ['?start=1&end=2&other=3', 'start=1&end=2'],
  ])('are metrics of the time that is asked for: %s', async (query, expected) => {
    const session = await may('info');
    expect((await get(session, `/metrics${query}`)).status).toBe(200);
    expect(String(harness.fake.control.at(-1)?.query)).toBe(expected);
  });

  test.each(['?start=', '?start=1x', '?start=x1', '?end=-1', '?end=1.5', '?end=100000000000'])(
    'is no metrics of %s',
    async (query) => {
      const session = await may('info');
      harness.fake.control.length = 0;
      expect(await refusal(await get(session, `/metrics${query}`))).toMatchObject({ status: 400 });
      expect(harness.fake.control).toEqual([]);
    },
  );
});

describe('a session that may not', () => {
  test.each(['', '/metrics', '/extend', '/pause', '/resume', '/kill'])('is told what: %s', async (what) => {
    const session = await may();
    const answer = /^$|metrics/.test(what) ? get(session, what) : post(session, what.slice(1));
    const { message } = (await (await answer).json()) as { message: string };
    expect(message).toMatch(/^This session may not [a-z]+ [a-z ]+\.$/);
    expect(message).not.toContain('undefined');
  });
});

describe('a call with a field that is wrong', () => {
  test.each([
    ['extend', { timeoutMs: 'x' }, 'timeoutMs'],
    ['resume', { timeoutMs: 'x' }, 'timeoutMs'],
    ['pause', { keepMemory: 'x' }, 'keepMemory'],
  ])('is told which: %s %j', async (what, body, name) => {
    const session = await harness.session(everything);
    const { message } = (await (await post(session, what, body)).json()) as { message: string };
    expect(message).toContain(name);
  });
});

describe('an extension', () => {
  test.each([
    [3_600_000, 'refreshes {"duration":3600}'],
    [3_600_001, 'timeout {"timeout":3601}'],
    [1_000, 'refreshes {"duration":1}'],
    [1_001, 'refreshes {"duration":2}'],
  ])('of %i ms is asked for by the call that takes it', async (timeoutMs, expected) => {
    const session = await may('extend');
    sandboxOf(session).endAt = new Date().toISOString();
    harness.fake.control.length = 0;
    expect((await post(session, 'extend', { timeoutMs })).status).toBe(200);
    expect(changes()).toEqual([expected]);
  });

  test('that is no later than the end is none', async () => {
    const session = await may('extend');
    const now = 1_800_000_000_000;
    const extend = async (endsInMs: number) => {
      vi.useFakeTimers({ toFake: ['Date'], now });
      harness.fake.control.length = 0;
      sandboxOf(session).endAt = new Date(now + endsInMs).toISOString();
      const response = await post(fresh, 'extend', { timeoutMs: 7_200_000 });
      expect(await response.json()).toEqual({ endAt: sandboxOf(fresh).endAt });
      return changes();
    };
    vi.useFakeTimers({ toFake: ['Date'], now });
    const fresh = await may('extend');
    harness.fake.sandboxes.set(session.sandboxId, sandboxOf(fresh));
    expect(await extend(7_200_000)).toEqual([]);
    expect(await extend(7_199_000)).toEqual(['timeout {"timeout":7200}']);
  });
});

describe('a pause', () => {
  test('keeps the memory where that is said, and is asked for with nothing that is not', async () => {
    const session = await may('pause');
    await post(session, 'pause', { keepMemory: true });
    expect(changes().at(-1)).toBe('pause {}');
    for (const keepMemory of [null, 'no', 0]) {
      expect(await refusal(await post(session, 'pause', { keepMemory }))).toMatchObject({ status: 400 });
    }
    expect(changes()).toHaveLength(2);
  });
});

describe('what calls go by', () => {
  const health = (session: Session) =>
    harness.send(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
  const later = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });

  test.each(['pause', 'kill'])('is asked for anew after a %s', async (what) => {
    const session = await harness.session(everything);
    later();
    await post(session, what);
    harness.fake.control.length = 0;
    harness.fake.envd.length = 0;
    await health(session);
    expect(harness.fake.control[0]?.path).toBe(`/sandboxes/${session.sandboxId}`);
    expect(harness.fake.envd).toHaveLength(what === 'kill' ? 0 : 1);
  });

  test('is known after a resume', async () => {
    const session = await harness.session(everything);
    later();
    await post(session, 'pause');
    await post(session, 'resume');
    harness.fake.control.length = 0;
    expect((await health(session)).status).toBe(204);
    expect(harness.fake.control).toEqual([]);
  });
});

describe('a resume', () => {
  test.each([null, 300, '60000'])('for %j is refused, and wakes nothing', async (timeoutMs) => {
    const session = await may('pause');
    await post(session, 'pause');
    expect(await refusal(await post(session, 'resume', { timeoutMs }))).toEqual({
      status: 400,
      code: 'invalid_argument',
    });
    expect(sandboxOf(session).state).toBe('paused');
  });

  test('is for five minutes where no page keeps the sandbox, and in whole seconds', async () => {
    harness.authorization = {
      subject: 'ann',
      sandbox: { template: 'base', keepAlive: false, timeoutMs: 60_000 },
      grants: { lifecycle: ['pause'] },
    };
    const session = await harness.mint();
    for (const timeoutMs of [undefined, 30_001, 400_000]) {
      await post(session, 'pause');
      await post(session, 'resume', { timeoutMs });
    }
    expect(changes().filter((line) => line.startsWith('connect'))).toEqual([
      'connect {"timeout":300}',
      'connect {"timeout":31}',
      'connect {"timeout":300}',
    ]);
  });
});
