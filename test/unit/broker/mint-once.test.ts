import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ExactStore } from '../../../src/broker/store-claim.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import type { Session } from '../../../src/wire/session.js';
import { bearer, everything, type Harness, origin, refusal, startHarness } from './support/harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(async () => {
  vi.useRealTimers();
  await harness.close();
});

function ask(key: string, body: unknown = {}, one: Harness = harness): Promise<Response> {
  return one.send('/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin, 'idempotency-key': key },
    body: JSON.stringify(body),
  });
}

async function got(response: Promise<Response>): Promise<Session> {
  const answer = await response;
  expect(answer.status).toBe(201);
  return (await answer.json()) as Session;
}

describe('a mint that is asked for again with its key', () => {
  test('gives the same session of the same sandbox, by a fresh token', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const first = await got(ask('k1'));
    vi.setSystemTime(Date.now() + 60_000);
    const again = await got(ask('k1'));
    expect([again.sessionId, again.sandboxId]).toEqual([first.sessionId, first.sandboxId]);
    expect(again.expiresAt).toBeGreaterThan(first.expiresAt);
    expect(decodeJwt(again.token).auth_time).toBe(decodeJwt(first.token).auth_time);
    const health = await harness.send(`/envd/${again.sandboxId}/health`, { headers: bearer(again) });
    expect(health.status).toBe(204);
    expect((await got(ask('k2'))).sessionId).not.toBe(first.sessionId);
    expect(harness.fake.sandboxes.size).toBe(2);
  });

  test('is remembered for ten minutes, and by all brokers of a store', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const store = createMemoryStore();
    const { url, apiKey } = harness.fake;
    const [one, two] = await Promise.all(
      [1, 2].map(() => startHarness({ store, apiKey, apiUrl: url, sandboxUrl: url })),
    );
    const first = await got(ask('k1', {}, one));
    expect((await got(ask('k1', {}, two))).sessionId).toBe(first.sessionId);
    vi.setSystemTime(Date.now() + 600_001);
    expect((await got(ask('k1', {}, two))).sessionId).not.toBe(first.sessionId);
    await one?.close();
    await two?.close();
  });

  test('lets nobody else in who knows the key', async () => {
    const anns = await got(ask('k1'));
    harness.authorization = { subject: 'eve', sandbox: { template: 'base' }, grants: everything };
    const eves = await got(ask('k1'));
    expect(eves.sessionId).not.toBe(anns.sessionId);
    expect(eves.sandboxId).not.toBe(anns.sandboxId);
    harness.authorization = null;
    expect(await refusal(await ask('k1'))).toEqual({ status: 403, code: 'session_refused' });
  });

  test('gives what is allowed by then', async () => {
    await got(ask('k1'));
    harness.authorization = { subject: 'ann', sandbox: { template: 'base' }, grants: { pty: 'read' } };
    expect((await got(ask('k1'))).grant).toMatchObject({ pty: 'read', commands: 'none' });
  });

  test('is refused where it asks for something else', async () => {
    const { sandboxId } = await got(ask('k1'));
    for (const body of [{ sandboxId }, { grant: { pty: 'read' } }]) {
      expect(await refusal(await ask('k1', body))).toEqual({ status: 409, code: 'idempotency_key_reused' });
    }
    harness.fake.sandboxes.set('given', { metadata: {} });
    harness.authorization = { subject: 'ann', sandbox: { id: 'given' }, grants: everything };
    expect(await refusal(await ask('k1'))).toEqual({ status: 409, code: 'idempotency_key_reused' });
  });

  test('while the first is under way is told to ask once more, and makes nothing', async () => {
    const { fake } = harness;
    let go = (): void => {};
    const began = new Promise<void>((resolve) => {
      fake.onControl = (seen, response) => {
        fake.onControl = undefined;
        go = () => fake.answer(seen, response);
        resolve();
        return true;
      };
    });
    const first = ask('k1');
    await began;
    const meanwhile = await ask('k1');
    expect(meanwhile.headers.get('retry-after')).toBe('1');
    expect(await refusal(meanwhile)).toEqual({ status: 409, code: 'idempotency_in_progress' });
    go();
    const { sessionId } = await got(first);
    expect((await got(ask('k1'))).sessionId).toBe(sessionId);
    expect(fake.sandboxes.size).toBe(1);
  });

  test('tries anew what failed', async () => {
    harness.fake.onControl = (_, response) => {
      harness.fake.onControl = undefined;
      response.writeHead(400).end();
      return true;
    };
    expect((await ask('k1')).status).toBe(502);
    await got(ask('k1'));
    expect(harness.fake.sandboxes.size).toBe(1);
  });

  test('is done at its next try where it came too soon, and counts once', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { url, apiKey } = harness.fake;
    const written: string[] = [];
    const memory = createMemoryStore();
    const store: ExactStore = {
      ...memory,
      compareAndSet(key, ...rest) {
        written.push(key);
        return memory.compareAndSet(key, ...rest);
      },
    };
    const more = { store, apiKey, apiUrl: url, sandboxUrl: url, limits: { mintsPerMinute: 2 } };
    const limited = await startHarness(more);
    const first = await got(ask('k1', {}, limited));
    expect((await got(ask('k1', {}, limited))).sessionId).toBe(first.sessionId);
    await got(ask('k2', {}, limited));
    written.length = 0;
    const tooSoon = await ask('k3', {}, limited);
    expect(tooSoon.status).toBe(429);
    expect(written).toEqual([]);
    vi.setSystemTime(Date.now() + Number(tooSoon.headers.get('retry-after')) * 1000);
    await got(ask('k3', {}, limited));
    await limited.close();
  });

  test('gives a new session where that one was ended, or all of the subject’s, for whom the application allows it', async () => {
    const stored = await startHarness({ store: createMemoryStore() });
    const first = await got(ask('k1', {}, stored));
    await stored.revoke({ sessionId: first.sessionId });
    const second = await got(ask('k1', {}, stored));
    expect(second.sessionId).not.toBe(first.sessionId);
    expect(decodeJwt(second.token).gen).toBeUndefined();
    expect((await got(ask('k1', {}, stored))).sessionId).toBe(second.sessionId);
    await stored.revoke({ subject: 'ann' });
    const third = await got(ask('k1', {}, stored));
    expect(third.sessionId).not.toBe(second.sessionId);
    const health = async ({ sandboxId, token }: Session): Promise<number> =>
      (await stored.send(`/envd/${sandboxId}/health`, { headers: { authorization: `Bearer ${token}` } }))
        .status;
    expect(await Promise.all([first, second, third].map(health))).toEqual([401, 401, 204]);
    expect(await refusal(await ask('k1', { sandboxId: 'i1' }, stored))).toMatchObject({ status: 409 });
    stored.authorization = null;
    expect(await refusal(await ask('k1', {}, stored))).toEqual({ status: 403, code: 'session_refused' });
    await stored.close();
  });

  test('gives a new sandbox where that one is gone, but for what was asked for by its id', async () => {
    const { fake } = harness;
    const first = await got(ask('k1'));
    const again = await got(ask('k2', { sandboxId: first.sandboxId }));
    fake.sandboxes.delete(first.sandboxId);
    const second = await got(ask('k1'));
    expect(second.sandboxId).not.toBe(first.sandboxId);
    expect(second.sessionId).not.toBe(first.sessionId);
    expect((await got(ask('k1'))).sessionId).toBe(second.sessionId);
    expect(again.sandboxId).toBe(first.sandboxId);
    const answer = await ask('k2', { sandboxId: first.sandboxId });
    expect(await refusal(answer)).toEqual({ status: 404, code: 'sandbox_not_found' });
  });

  test('does not count as another use of an invitation', async () => {
    await harness.close();
    harness = await startHarness({ store: createMemoryStore() });
    harness.authorization = {
      subject: 'ann',
      sandbox: { template: 'base' },
      grants: everything,
      invite: { pty: 'read' },
    };
    const session = await harness.mint();
    const response = await harness.send(`/sessions/${session.sessionId}/invite`, {
      method: 'POST',
      headers: { ...bearer(session), 'content-type': 'application/json' },
      body: '{}',
    });
    const { invitation } = (await response.json()) as { invitation: string };
    harness.authorization = { subject: 'bob', sandbox: { template: 'base' }, grants: everything };
    const guest = await got(ask('k1', { invitation }));
    expect((await got(ask('k1', { invitation }))).sessionId).toBe(guest.sessionId);
    const usedUp = { status: 403, code: 'invitation_invalid' };
    expect(await refusal(await ask('k2', { invitation }))).toEqual(usedUp);
    await harness.revoke({ sessionId: guest.sessionId });
    expect(await refusal(await ask('k1', { invitation }))).toEqual(usedUp);
  });

  test.each(['a b', 'x'.repeat(65), 'a/b'])('takes no key like %j', async (key) => {
    expect(await refusal(await ask(key))).toEqual({ status: 400, code: 'invalid_argument' });
    expect(harness.fake.control).toEqual([]);
  });
});
