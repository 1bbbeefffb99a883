import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
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

function refresh(session: Session): Promise<Response> {
  return harness.send('/sessions/refresh', { method: 'POST', headers: { ...bearer(session), origin } });
}

describe('a refresh', () => {
  test('gives a fresh token of the same session, with an expired one', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const session = await harness.mint();
    vi.setSystemTime(Date.now() + 3_600_000);
    const fresh = (await (await refresh(session)).json()) as Session;
    expect(fresh.sessionId).toBe(session.sessionId);
    expect(fresh.token).not.toBe(session.token);
    expect(fresh.expiresAt).toBeGreaterThan(Date.now());
    expect(decodeJwt(fresh.token).auth_time).toBe(decodeJwt(session.token).auth_time);
  });

  test('ends with the session’s absolute life, which no token outlives', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const session = await harness.mint();
    vi.setSystemTime(Date.now() + 8 * 3_600_000 - 60_000);
    const last = (await (await refresh(session)).json()) as Session;
    expect(last.ttlMs).toBeLessThanOrEqual(60_000);
    vi.setSystemTime(Date.now() + 61_000);
    expect(await refusal(await refresh(last))).toEqual({ status: 401, code: 'session_expired' });
  });

  test('asks the application again, which may narrow or refuse', async () => {
    const session = await harness.session({ pty: 'write', commands: 'run' });
    harness.authorization = {
      subject: 'ann',
      sandbox: { template: 'base' },
      grants: { ...everything, pty: 'read' },
    };
    const narrowed = (await (await refresh(session)).json()) as Session;
    expect(narrowed.grant).toEqual({ files: [], commands: 'run', pty: 'read', ports: [], lifecycle: [] });
    harness.authorization = { ...harness.authorization, subject: 'eve' };
    expect(await refusal(await refresh(session))).toEqual({ status: 403, code: 'session_refused' });
    harness.authorization = { subject: 'ann', sandbox: { id: 'other' }, grants: everything };
    expect(await refusal(await refresh(session))).toEqual({ status: 403, code: 'session_refused' });
    harness.authorization = null;
    expect(await refusal(await refresh(session))).toEqual({ status: 403, code: 'session_refused' });
  });

  test('keeps the sandbox alive, not more often than need be, and not when told not to', async () => {
    const extensions = () => harness.fake.control.filter(({ path }) => path.endsWith('/refreshes'));
    const session = await harness.mint();
    await refresh(session);
    await refresh(session);
    expect(extensions().map(({ body }) => body.toString())).toEqual(['{"duration":300}']);
    harness.authorization = {
      subject: 'ann',
      sandbox: { template: 'base', keepAlive: false },
      grants: everything,
    };
    await refresh(await harness.mint());
    expect(extensions()).toHaveLength(1);
  });

  test('keeps a sandbox with a short life alive more often', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    harness.authorization = {
      subject: 'ann',
      sandbox: { template: 'base', timeoutMs: 20_000 },
      grants: everything,
    };
    const session = await harness.mint();
    for (const seconds of [0, 4, 6]) {
      vi.advanceTimersByTime(seconds * 1000);
      await refresh(session);
    }
    const extensions = harness.fake.control.filter(({ path }) => path.endsWith('/refreshes'));
    expect(extensions.map(({ body }) => body.toString())).toEqual(['{"duration":20}', '{"duration":20}']);
  });

  test('extends by no more than the control plane takes, and is good also where that fails', async () => {
    harness.authorization = {
      subject: 'ann',
      sandbox: { template: 'base', timeoutMs: 86_400_000 },
      grants: everything,
    };
    const session = await harness.mint();
    harness.fake.onControl = ({ path }, response) => {
      if (path.endsWith('/refreshes')) response.writeHead(400).end();
      return path.endsWith('/refreshes');
    };
    expect((await refresh(session)).status).toBe(200);
    expect(harness.fake.control.at(-1)?.body.toString()).toBe('{"duration":3600}');
    expect(harness.events.at(-1)).toMatchObject({
      action: 'refresh',
      outcome: 'allowed',
      cause: expect.any(Error),
    });
  });

  test('of a sandbox that was killed is sandbox_not_found', async () => {
    const session = await harness.mint();
    harness.fake.sandboxes.clear();
    expect(await refusal(await refresh(session))).toEqual({ status: 404, code: 'sandbox_not_found' });
  });
});
