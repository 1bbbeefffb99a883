import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Grant, Session } from '../../../src/wire/session.js';
import { envdToken } from './support/fake-e2b.js';
import { bearer, type Harness, origin, refusal, startHarness } from './support/harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(() => harness.close());

function sign(session: Session, body: unknown): Promise<Response> {
  return harness.send('/files/sign', {
    method: 'POST',
    headers: { ...bearer(session), 'content-type': 'application/json', origin },
    body: JSON.stringify(body),
  });
}

const inData: Grant = {
  files: [
    { op: 'read', prefix: '/srv/data' },
    { op: 'write', prefix: '/srv/data/in' },
  ],
};

describe('a signed URL', () => {
  test('is envd’s own, for exactly one path and user, and ends within a minute', async () => {
    const session = await harness.session({ ...inData, user: 'worker' });
    const before = Math.floor(Date.now() / 1000);
    const response = await sign(session, { path: '/srv/data/./in//a b', op: 'write' });
    const { url, expiresAt } = (await response.json()) as { url: string; expiresAt: number };
    const { origin: host, pathname, searchParams } = new URL(url);
    expect([host, pathname]).toEqual([harness.fake.url, '/files']);
    const { signature, signature_expiration: expiration, ...rest } = Object.fromEntries(searchParams);
    expect(rest).toEqual({ path: '/srv/data/in/a b', username: 'worker' });
    const text = `/srv/data/in/a b:write:worker:${envdToken}:${expiration}`;
    const digest = createHash('sha256').update(text).digest('base64').replace(/=+$/, '');
    expect(signature).toBe(`v1_${digest}`);
    expect(Number(expiration) - before).toBeLessThanOrEqual(61);
    expect(expiresAt).toBe(Number(expiration) * 1000);
    expect(url).not.toContain(envdToken);
    expect(harness.events.at(-1)).toMatchObject({ action: 'sign', outcome: 'allowed', subject: 'ann' });
    expect(JSON.stringify(harness.events)).not.toContain('v1_');
  });

  test('takes the grant of that operation on that path, by where its symlinks lead', async () => {
    const session = await harness.session(inData);
    harness.fake.links.set('/srv/data/link', '/etc').set('/srv/data/leaf', '/etc/passwd');
    for (const body of [
      { path: '/etc/passwd', op: 'read' },
      { path: '/srv/data/../../etc/passwd', op: 'read' },
      { path: '/srv/data/link/passwd', op: 'read' },
      { path: '/srv/data/leaf', op: 'read' },
      { path: '/srv/data/a', op: 'write' },
    ]) {
      expect(await refusal(await sign(session, body))).toEqual({ status: 403, code: 'permission_denied' });
    }
    expect((await sign(session, { path: '/srv/data/a', op: 'read' })).status).toBe(200);
  });

  test.each([
    { path: '/srv/data/a', op: 'delete' },
    { path: '/srv/data/a' },
    { op: 'read' },
    { path: ['/srv/data/a'], op: 'read' },
    { path: '/srv/data/a\0', op: 'read' },
    { path: '/srv/data/a', op: 'read', expiresInMs: 60_001 },
    { path: '/srv/data/a', op: 'read', expiresInMs: 60 },
    { path: '/srv/data/a', op: 'read', expiresInMs: '60000' },
    { path: '/srv/data/a', op: 'read', expiresInMs: null },
  ])('is not made of %j', async (body) => {
    const session = await harness.session(inData);
    expect(await refusal(await sign(session, body))).toEqual({ status: 400, code: 'invalid_argument' });
  });

  test.each([1_000, 5_000, 60_000])(
    'lasts no longer than the %i ms that are asked for',
    async (expiresInMs) => {
      const session = await harness.session(inData);
      const response = await sign(session, { path: '/srv/data/a', op: 'read', expiresInMs });
      const { expiresAt } = (await response.json()) as { expiresAt: number };
      expect(expiresAt).toBeGreaterThan(Date.now());
      expect(expiresAt).toBeLessThanOrEqual(Date.now() + expiresInMs + 1_000);
    },
  );

  test('names no user where none is pinned: envd takes its own', async () => {
    const response = await sign(await harness.session(inData), { path: '/srv/data/a', op: 'read' });
    const { url } = (await response.json()) as { url: string };
    expect(new URL(url).searchParams.has('username')).toBe(false);
  });

  test('is not given in strict mode, which envd would not keep', async () => {
    const session = await harness.session({ ...inData, strict: true, user: 'worker' });
    const response = await sign(session, { path: '/srv/data/a', op: 'read' });
    expect(await refusal(response)).toEqual({ status: 403, code: 'permission_denied' });
  });

  test('is not given where the sandbox has no token: whoever had its address would need none for anything', async () => {
    harness.fake.sandboxes.set('open', { metadata: {}, token: null });
    harness.authorization = { subject: 'ann', sandbox: { id: 'open' }, grants: inData };
    const response = await sign(await harness.mint(), { path: '/srv/data/a', op: 'read' });
    const text = await response.clone().text();
    expect(await refusal(response)).toEqual({ status: 409, code: 'sandbox_not_secured' });
    expect(text).not.toContain(harness.fake.url);
  });

  test('needs a token', async () => {
    const response = await harness.send('/files/sign', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await refusal(response)).toEqual({ status: 401, code: 'unauthenticated' });
  });
});
