import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRevocations } from '../../../src/broker/revocation.js';
import type { SessionStore } from '../../../src/broker/session-store.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { createBroker } from '../../../src/broker.js';
import {
  bearer,
  everything,
  type Harness,
  origin,
  refusal,
  secret,
  startHarness,
} from './support/harness.js';

const lifeMs = 28_800_000;

describe('what is remembered', () => {
  test('is a session, and none but that', async () => {
    const { check, revoke } = createRevocations(createMemoryStore(), lifeMs);
    await revoke({ sessionId: 's1' });
    await expect(check({ sid: 's1', sub: 'ann' })).rejects.toMatchObject({ code: 'session_revoked' });
    await check({ sid: 's2', sub: 'ann' });
    await check({ sid: 's3', sub: 's1' });
  });

  test('is all that a subject had begun, and nothing that it begins later', async () => {
    const { begin, check, revoke } = createRevocations(createMemoryStore(), lifeMs);
    const first = { sid: 's1', sub: 'ann' };
    expect(await begin('ann', Date.now())).toBeUndefined();
    await revoke({ subject: 'ann' });
    await expect(check(first)).rejects.toMatchObject({ code: 'session_revoked', statusCode: 401 });
    const gen = await begin('ann', Date.now());
    const second = { sid: 's2', sub: 'ann', gen: gen as string };
    await check(second);
    await check({ sid: 's3', sub: 'bob' });
    await revoke({ subject: 'ann' });
    await expect(check(second)).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('holds for what was allowed before it and is begun after it', async () => {
    const { begin, revoke } = createRevocations(createMemoryStore(), lifeMs);
    const since = Date.now() - 1;
    await revoke({ subject: 'ann' });
    await expect(begin('ann', since)).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('ends guests with their inviters, and not the other way round', async () => {
    const { check, revoke } = createRevocations(createMemoryStore(), lifeMs);
    const ann = { sid: 'a', sub: 'ann' };
    const bob = { sid: 'b', sub: 'bob', via: [ann] };
    const carl = { sid: 'c', sub: 'carl', via: [ann, { sid: 'b', sub: 'bob' }] };
    await revoke({ sessionId: 'c' });
    await check(bob);
    await revoke({ sessionId: 'b' });
    await expect(check(bob)).rejects.toMatchObject({ code: 'session_revoked' });
    await check(ann);
    const dora = { sid: 'd', sub: 'dora', via: [ann, { sid: 'e', sub: 'eve' }] };
    await check(dora);
    await revoke({ subject: 'ann' });
    await expect(check(dora)).rejects.toMatchObject({ code: 'session_revoked' });
    await expect(check(carl)).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('leaves alone what began after it, also once it is forgotten', async () => {
    const store = createMemoryStore();
    const { begin, check, revoke } = createRevocations(store, lifeMs);
    await revoke({ subject: 'ann' });
    const gen = (await begin('ann', Date.now())) as string;
    await createRevocations(createMemoryStore(), lifeMs).check({ sid: 's1', sub: 'ann', gen });
    await check({ sid: 's1', sub: 'ann', gen });
  });

  test('is asked for twice at each request, and twice for each session that a guest’s came through', async () => {
    const get = vi.fn();
    const { check } = createRevocations({ get, set: () => undefined }, lifeMs);
    await check({ sid: 'a', sub: 'ann' });
    expect(get).toHaveBeenCalledTimes(2);
    await check({ sid: 'b', sub: 'bob', via: [{ sid: 'a', sub: 'ann' }] });
    expect(get).toHaveBeenCalledTimes(6);
  });

  test('is nothing where there is no store', async () => {
    const { areKept, begin, check } = createRevocations(undefined, lifeMs);
    expect(areKept).toBe(false);
    expect(await begin('ann', 0)).toBeUndefined();
    await check({ sid: 'a', sub: 'ann' });
    expect(createRevocations(createMemoryStore(), lifeMs).areKept).toBe(true);
  });

  test('is forgotten once no session from before can be alive', async () => {
    vi.useFakeTimers();
    const set = vi.fn();
    const { revoke } = createRevocations({ get: () => undefined, set }, lifeMs);
    await revoke({ sessionId: 's1' });
    expect(set.mock.calls[0]?.[2]).toBe(Date.now() + lifeMs + 60_000);
    vi.useRealTimers();
  });

  test('has keys that every store takes, and that tell nothing', async () => {
    const keys: string[] = [];
    const store = { get: () => undefined, set: (key: string) => void keys.push(key) };
    const { revoke } = createRevocations(store, lifeMs);
    await revoke({ subject: `ann@example.com/${'x'.repeat(2000)}` });
    await revoke({ sessionId: 'ä ö' });
    for (const key of keys) expect(key).toMatch(/^[a-z0-9:-]{1,128}$/);
  });

  test.each([{}, { sessionId: '' }, { subject: 7 }, { sessionId: 'a', subject: 'b' }, null, 'ann'])(
    'is not %j',
    async (what) => {
      const { revoke } = createRevocations(createMemoryStore(), lifeMs);
      await expect(revoke(what as never)).rejects.toMatchObject({ code: 'invalid_argument' });
    },
  );
});

describe('a store that', () => {
  test('is not there cannot revoke', async () => {
    const harness = await startHarness();
    const { error } = await revokeWith(harness);
    expect(error).toMatchObject({ code: 'no_store' });
    await harness.close();
  });

  test.each<[string, SessionStore['get']]>([
    [
      'throws',
      () => {
        throw new Error('password is hunter2');
      },
    ],
    ['rejects', () => Promise.reject(new Error('password is hunter2'))],
  ])('%s makes the broker refuse, and its log tells why', async (_name, get) => {
    const down = { isDown: false };
    const store: SessionStore = { get: (key) => (down.isDown ? get(key) : undefined), set: () => undefined };
    const harness = await startHarness({ store });
    const session = await harness.mint();
    down.isDown = true;
    for (const [path, method] of [
      [`/envd/${session.sandboxId}/health`, 'GET'],
      ['/sessions/refresh', 'POST'],
      [`/sessions/${session.sessionId}`, 'DELETE'],
      ['/sessions', 'POST'],
    ] as const) {
      const response = await harness.send(path, {
        method,
        headers: { ...bearer(session), 'content-type': 'application/json' },
        ...(method === 'POST' && { body: '{}' }),
      });
      expect(await response.clone().text()).not.toContain('hunter2');
      expect(await refusal(response)).toEqual({ status: 500, code: 'broker_misconfigured' });
      expect(harness.events.at(-1)).toMatchObject({ outcome: 'failed', code: 'broker_misconfigured' });
      expect(String(harness.events.at(-1)?.cause)).toContain('hunter2');
    }
    expect(harness.fake.envd).toEqual([]);
    await harness.close();
  });

  describe('hangs', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    test('makes the broker refuse', async () => {
      const get = vi.fn(() => new Promise<undefined>(() => {}));
      const { check } = createRevocations({ get, set: () => {} }, lifeMs);
      const checked = expect(check({ sid: 's', sub: 'ann' })).rejects.toMatchObject({
        code: 'broker_misconfigured',
      });
      // Digests are made on a thread of their own.
      while (get.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(5_000);
      await checked;
    });
  });

  test('depends on the environment is asked for at each request', async () => {
    interface Env {
      store: SessionStore;
    }
    const env = { store: createMemoryStore() };
    const broker = createBroker<Env>({
      apiKey: 'e2b_1',
      signingKeys: { current: secret },
      origins: [origin],
      store: (given) => given.store,
      authorize: () => null,
    });
    await broker.revoke({ sessionId: 's1' }, { env });
    await expect(broker.revoke({ sessionId: 's1' })).rejects.toMatchObject({ code: 'broker_misconfigured' });
  });
});

describe('a broker', () => {
  test('ends all sessions of a subject, who may begin another at once', async () => {
    const harness = await startHarness({ store: createMemoryStore() });
    const ann = [await harness.session(everything), await harness.session(everything)] as const;
    const bob = await harness.session(everything, 'bob');
    expect((await revokeWith(harness, { subject: 'ann' })).error).toBeUndefined();
    expect(harness.events.at(-1)).toMatchObject({ action: 'revoke', outcome: 'allowed', subject: 'ann' });
    const health = (session: typeof bob) =>
      harness.send(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
    for (const session of ann) {
      expect(await refusal(await health(session))).toEqual({ status: 401, code: 'session_revoked' });
    }
    expect((await health(bob)).status).toBe(204);
    const again = await harness.session(everything);
    expect((await health(again)).status).toBe(204);
    const refreshed = await harness.send('/sessions/refresh', { method: 'POST', headers: bearer(again) });
    const { token } = (await refreshed.json()) as { token: string };
    expect((await health({ ...again, token })).status).toBe(204);
    await harness.close();
  });

  test('mints nothing for a subject that was revoked while it was asked', async () => {
    const harness = await startHarness({
      store: createMemoryStore(),
      authorize: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        await harness.revoke({ subject: 'ann' });
        return harness.authorization;
      },
    });
    await expect(harness.mint()).rejects.toMatchObject({ code: 'session_revoked' });
    await harness.close();
  });
});

async function revokeWith(harness: Harness, what: { subject: string } = { subject: 'ann' }) {
  try {
    await harness.revoke(what);
    return { error: undefined };
  } catch (error) {
    return { error };
  }
}
