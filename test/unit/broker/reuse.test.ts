import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Authorization } from '../../../src/broker/authorization.js';
import type { BrokerOptions } from '../../../src/broker/broker-options.js';
import type { SessionStore } from '../../../src/broker/session-store.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { json } from './support/fake-e2b.js';
import { everything, type Harness, startHarness } from './support/harness.js';

let harness: Harness;
const others: Harness[] = [];

beforeEach(async () => {
  harness = await startHarness();
  harness.authorization = own();
});

afterEach(async () => {
  await Promise.all([harness, ...others.splice(0)].map((one) => one.close()));
});

function own(reuse: boolean | string = true, subject = 'ann'): Authorization {
  return { subject, sandbox: { template: 'base', reuse }, grants: everything };
}

/** Another instance of the broker, before the same service. */
async function another(more: Partial<BrokerOptions<undefined>> = {}): Promise<Harness> {
  const { url, apiKey } = harness.fake;
  const one = await startHarness({ apiKey, apiUrl: url, sandboxUrl: url, ...more });
  one.authorization = own();
  others.push(one);
  return one;
}

/** Holds what matches back until so many have come. */
function gather(count: number, isOne: (method: string, path: string) => boolean): void {
  const waiting: (() => void)[] = [];
  const { fake } = harness;
  fake.onControl = (seen, response) => {
    if (!isOne(seen.method, seen.path) || waiting.length === count) return false;
    waiting.push(() => fake.answer(seen, response));
    if (waiting.length === count) for (const go of waiting) go();
    return true;
  };
}

const isList = (method: string, path: string) => method === 'GET' && path === '/v2/sandboxes';
const isCreate = (method: string, path: string) => method === 'POST' && path === '/v2/sandboxes';

describe('a subject’s own sandbox', () => {
  test('is made on first use and found again after that, by each broker of the application', async () => {
    const first = await harness.mint();
    expect((await harness.mint()).sandboxId).toBe(first.sandboxId);
    expect((await (await another()).mint()).sandboxId).toBe(first.sandboxId);
    expect(harness.fake.sandboxes.size).toBe(1);
  });

  test('is one for each subject, name and issuer', async () => {
    const ids = [(await harness.mint()).sandboxId];
    for (const authorization of [own('tests'), own('own'), own(true, 'bob'), own(false)]) {
      harness.authorization = authorization;
      ids.push((await harness.mint()).sandboxId);
    }
    ids.push((await (await another({ issuer: 'another app' })).mint()).sandboxId);
    expect(new Set(ids).size).toBe(6);
    harness.authorization = own('tests');
    expect((await harness.mint()).sandboxId).toBe(ids[1]);
  });

  test('is resumed where it is paused', async () => {
    const { sandboxId } = await harness.mint();
    Object.assign(harness.fake.sandboxes.get(sandboxId) ?? {}, { state: 'paused' });
    expect((await harness.mint()).sandboxId).toBe(sandboxId);
    expect(harness.fake.sandboxes.get(sandboxId)?.state).toBe('running');
  });

  test('is made anew where it has just ended, though it is still listed', async () => {
    const { sandboxId } = await harness.mint();
    harness.fake.onControl = ({ path }, response) => {
      if (path !== `/v2/sandboxes/${sandboxId}/connect`) return false;
      json(response, 404, { code: 404, message: 'gone' });
      return true;
    };
    expect((await harness.mint()).sandboxId).not.toBe(sandboxId);
  });

  test('is never another’s, also where the control plane lists all of them', async () => {
    harness.authorization = own(true, 'eve');
    const eves = await harness.mint();
    harness.fake.onControl = (seen, response) => {
      if (!isList(seen.method, seen.path)) return false;
      json(
        response,
        200,
        [...harness.fake.sandboxes].map(([sandboxID, sandbox]) => ({ sandboxID, startedAt: '', ...sandbox })),
      );
      return true;
    };
    harness.authorization = own();
    expect((await harness.mint()).sandboxId).not.toBe(eves.sandboxId);
  });

  test('is asked for by its id as the one that the application names, and not in the place of another', async () => {
    const { sandboxId } = await harness.mint();
    harness.authorization = own('project-7');
    await expect(harness.mint({ sandboxId })).rejects.toMatchObject({ code: 'sandbox_not_found' });
    const named = await harness.mint();
    expect((await harness.mint({ sandboxId: named.sandboxId })).sandboxId).toBe(named.sandboxId);
    harness.authorization = own();
    await expect(harness.mint({ sandboxId: named.sandboxId })).rejects.toMatchObject({
      code: 'sandbox_not_found',
    });
  });

  test('is not asked for by id where its mark is of another application', async () => {
    const { sandboxId } = await harness.mint();
    const other = await another({ issuer: 'another app' });
    await expect(other.mint({ sandboxId })).rejects.toMatchObject({ code: 'sandbox_not_found' });
    expect((await (await another()).mint({ sandboxId })).sandboxId).toBe(sandboxId);
  });
});

describe('two tabs at once', () => {
  const bothGet = async (one: Harness, two: Harness) => {
    const sessions = await Promise.all([one.mint(), two.mint()]);
    expect(sessions[0]?.sandboxId).toBe(sessions[1]?.sandboxId);
    expect([...harness.fake.sandboxes.keys()]).toEqual([sessions[0]?.sandboxId]);
  };
  const creations = () => harness.fake.control.filter(({ method, path }) => isCreate(method, path)).length;

  test('get one sandbox of one broker', async () => {
    gather(2, isList);
    await bothGet(harness, harness);
    expect(creations()).toBe(1);
  });

  test('get one of two brokers with a store that compares and sets: only one is ever made', async () => {
    const store = createMemoryStore();
    gather(2, isList);
    await bothGet(await another({ store }), await another({ store }));
    expect(creations()).toBe(1);
  });

  test.each<[string, SessionStore | undefined]>([
    ['no store', undefined],
    ['one that cannot compare and set', { get: () => undefined, set: () => undefined }],
  ])('get the older one of two brokers with %s, and the newer one is killed', async (_what, store) => {
    gather(2, isList);
    await bothGet(await another(store && { store }), await another(store && { store }));
    expect(creations()).toBe(2);
  });

  test('get one also where the first one’s fails', async () => {
    const store = createMemoryStore();
    const [one, two] = [await another({ store }), await another({ store })];
    gather(2, isList);
    let failed = 0;
    const held = harness.fake.onControl;
    harness.fake.onControl = (seen, response) => {
      if (isCreate(seen.method, seen.path) && failed++ === 0) {
        json(response, 400, { code: 400, message: 'no' });
        return true;
      }
      return held?.(seen, response) ?? false;
    };
    const results = await Promise.allSettled([one.mint(), two.mint()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(harness.fake.sandboxes.size).toBe(1);
  });
});

describe('a sandbox that ends with the session', () => {
  const ending = (sandbox: Authorization['sandbox']): Authorization => ({
    subject: 'ann',
    sandbox: { ...sandbox, endWithSession: true },
    grants: everything,
  });

  test('is killed when the session is revoked', async () => {
    const stored = await another({ store: createMemoryStore() });
    harness.fake.sandboxes.set('given', { metadata: {} });
    for (const sandbox of [{ template: 'base' }, { id: 'given' }]) {
      stored.authorization = ending(sandbox);
      const session = await stored.mint();
      stored.authorization = own(false);
      const kept = await stored.mint();
      await stored.revoke({ sessionId: kept.sessionId });
      await stored.revoke({ sessionId: session.sessionId });
      expect(harness.fake.sandboxes.has(session.sandboxId)).toBe(false);
      expect(harness.fake.sandboxes.has(kept.sandboxId)).toBe(true);
    }
  });

  test('is killed when its subject’s sessions are, and nobody else’s is', async () => {
    const stored = await another({ store: createMemoryStore() });
    stored.authorization = ending({ template: 'base' });
    const ended = [await stored.mint(), await stored.mint()];
    stored.authorization = own(false);
    const kept = [await stored.mint()];
    stored.authorization = { ...ending({ template: 'base' }), subject: 'bob' };
    kept.push(await stored.mint());
    await stored.revoke({ subject: 'ann' });
    expect(ended.some(({ sandboxId }) => harness.fake.sandboxes.has(sandboxId))).toBe(false);
    expect(kept.every(({ sandboxId }) => harness.fake.sandboxes.has(sandboxId))).toBe(true);
  });

  test('and cannot be killed at the moment leaves the session over, and the log tells whose', async () => {
    const stored = await another({ store: createMemoryStore() });
    stored.authorization = ending({ template: 'base' });
    const { sessionId, token } = await stored.mint();
    harness.fake.onControl = ({ method }, response) => {
      if (method === 'DELETE') json(response, 500, { code: 500, message: 'no' });
      return method === 'DELETE';
    };
    await expect(stored.revoke({ sessionId })).rejects.toMatchObject({ code: 'upstream_unavailable' });
    expect(stored.events.at(-1)).toMatchObject({ action: 'revoke', outcome: 'failed', sessionId });
    const headers = { authorization: `Bearer ${token}` };
    expect((await stored.send(`/sessions/${sessionId}`, { headers })).status).toBe(401);
    harness.fake.onControl = undefined;
    await stored.revoke({ sessionId });
    expect(harness.fake.sandboxes.size).toBe(0);
  });
});
