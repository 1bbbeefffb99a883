import { decodeJwt } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import type { Session } from '../../../src/wire/session.js';
import {
  harness,
  host,
  intents,
  invalid,
  invite,
  inviting,
  join,
  restart,
  useGuests,
  watch,
} from './support/guests.js';
import { bearer, everything, refusal } from './support/harness.js';

useGuests();

describe('an invitation', () => {
  test.each<[string, (session: Session) => Promise<void>]>([
    ['the guest is locked out', () => harness.revoke({ subject: 'bob' })],
    ['the host’s session is ended', ({ sessionId }) => harness.revoke({ sessionId })],
  ])('that is no good any more once the sandbox was found, as %s, leaves that be', async (_why, end) => {
    const session = await host(watch);
    const invitation = await invite(session);
    const { fake } = harness;
    fake.onControl = (seen, response) => {
      fake.onControl = undefined;
      setTimeout(async () => {
        await end(session);
        fake.answer(seen, response);
      }, 5);
      return true;
    };
    await expect(join(invitation)).rejects.toMatchObject({ code: 'session_revoked' });
    // Nothing else is under way once this has been answered.
    harness.authorization = { subject: 'carol', sandbox: { template: 'base' }, grants: everything };
    await harness.mint();
    expect(fake.control.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  test('is not said to be over where the store cannot tell', async () => {
    const memory = createMemoryStore();
    let isDown = false;
    await restart({
      store: {
        ...memory,
        get: (key) => {
          if (isDown) throw new Error('down');
          return memory.get(key);
        },
      },
    });
    const invitation = await invite(await host(watch));
    isDown = true;
    await expect(join(invitation)).rejects.toMatchObject({ code: 'broker_misconfigured' });
  });

  test('neither wakes the sandbox nor puts off its end, and its guest’s end does not kill it', async () => {
    const session = await host(watch);
    Object.assign(harness.fake.sandboxes.get(session.sandboxId) ?? {}, { state: 'paused' });
    const invitation = await invite(session);
    harness.fake.control.length = 0;
    const guest = await join(invitation, everything, { sandbox: { template: 'base', endWithSession: true } });
    expect(harness.fake.control.map(({ method }) => method)).toEqual(['GET']);
    const end = { method: 'DELETE', headers: bearer(guest) };
    const ended = await harness.send(`/sessions/${guest.sessionId}`, end);
    expect(await ended.json()).toEqual({ revoked: true, killed: false });
    expect(harness.fake.sandboxes.size).toBe(1);
  });

  test('makes one session, or as many as it says, however many ask at once', async () => {
    const session = await host(watch);
    for (const uses of [1, 3]) {
      const invitation = await invite(session, { uses });
      const results = await Promise.allSettled(Array.from({ length: 6 }, () => join(invitation)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(uses);
      await expect(join(invitation)).rejects.toMatchObject(invalid);
    }
  });

  test('is counted in this process where no store can', async () => {
    await restart({ store: { get: () => undefined, set: () => undefined } });
    const invitation = await invite(await host(watch));
    await join(invitation);
    await expect(join(invitation)).rejects.toMatchObject(invalid);
  });

  test('is not used up by who may not come', async () => {
    const invitation = await invite(await host(watch));
    harness.authorization = null;
    await expect(harness.mint({ invitation })).rejects.toMatchObject({ code: 'session_refused' });
    await join(invitation);
  });

  test('ends with its time, and with the session’s', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const session = await host(watch);
    const response = await inviting(session, { ttlMs: 60_000, uses: 9 });
    const { invitation, expiresAt } = (await response.json()) as { invitation: string; expiresAt: number };
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 60_000);
    vi.setSystemTime(expiresAt - 2_000);
    await join(invitation);
    vi.setSystemTime(expiresAt + 1);
    await expect(join(invitation)).rejects.toMatchObject(invalid);
    const long = await inviting(await host(watch), { ttlMs: 86_400_000 });
    const { expiresAt: end } = (await long.json()) as { expiresAt: number };
    expect(end).toBeLessThanOrEqual(Date.now() + 8 * 3_600_000);
  });

  test('gives a session that ends with the one that invited, though it began later', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const began = Date.now();
    const session = await host(watch);
    vi.setSystemTime(began + 240_000);
    const guest = await join(await invite(session));
    const refreshed = async (at: number) => {
      vi.setSystemTime(at);
      harness.authorization = { subject: 'bob', sandbox: { template: 'base' }, grants: everything };
      return harness.send('/sessions/refresh', { method: 'POST', headers: bearer(guest) });
    };
    expect((await refreshed(began + 8 * 3_600_000 - 2_000)).status).toBe(200);
    expect(await refusal(await refreshed(began + 8 * 3_600_000))).toEqual({
      status: 401,
      code: 'session_expired',
    });
  });

  test.each<[string, (session: Session) => Promise<void>]>([
    [
      'its page ends it',
      async (session) => {
        await harness.send(`/sessions/${session.sessionId}`, { method: 'DELETE', headers: bearer(session) });
      },
    ],
    ['it is revoked', ({ sessionId }) => harness.revoke({ sessionId })],
    ['all of its subject are', () => harness.revoke({ subject: 'ann' })],
  ])('is over, with the sessions that came of it, when %s', async (_how, end) => {
    const session = await host(watch);
    const invitation = await invite(session, { uses: 9 });
    const guest = await join(invitation, everything, { invite: watch });
    const second = await join(await invite(guest), everything, { subject: 'carol' });
    await end(session);
    for (const one of [guest, second]) {
      const health = await harness.send(`/envd/${one.sandboxId}/health`, { headers: bearer(one) });
      expect(await refusal(health)).toEqual({ status: 401, code: 'session_revoked' });
    }
    await expect(join(invitation)).rejects.toMatchObject(invalid);
  });

  test('can be passed on only where the application lets the guest invite', async () => {
    const session = await host({ pty: 'read', commands: 'run' });
    const guest = await join(await invite(session));
    expect(await refusal(await inviting(guest))).toEqual({ status: 403, code: 'permission_denied' });
    const free = await join(await invite(session), { pty: 'read' }, { invite: everything });
    expect(free.invite).toMatchObject({ pty: 'read', commands: 'none' });
    const third = await join(await invite(free), everything, { subject: 'carol' });
    expect(decodeJwt(third.token)).toMatchObject({ own: 'ann', via: [{ sub: 'ann' }, { sub: 'bob' }] });
    const fourth = await join(
      await invite(await join(await invite(free), everything, { subject: 'dan', invite: watch })),
    );
    expect(intents.at(-1)).toMatchObject({ action: 'join', invitedBy: 'dan' });
    expect(decodeJwt(fourth.token).via).toHaveLength(3);
  });

  test('is passed on from guest to guest eight times, as each of them is asked about at every call', async () => {
    let session = await host(watch);
    for (let count = 1; count <= 8; count++) {
      session = await join(await invite(session), everything, { subject: `guest ${count}`, invite: watch });
    }
    expect(await refusal(await inviting(session))).toEqual({ status: 403, code: 'permission_denied' });
  });
});
