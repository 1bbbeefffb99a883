import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseGrant } from '../../../src/broker/grant.js';
import { type SessionClaims, signToken, verifyToken } from '../../../src/broker/session-token.js';
import { signClaims, type TokenSettings } from '../../../src/broker/signed-token.js';
import { createKeyRing } from '../../../src/broker/signing-keys.js';
import { secret } from './support/harness.js';

let settings: TokenSettings;
const now = 1_800_000_000;
const least: SessionClaims = {
  sub: 'ann',
  sid: 's1',
  sbx: 'i1',
  g: parseGrant({ pty: 'read' }),
  auth_time: now,
};
const whole: SessionClaims = {
  ...least,
  gen: '7-x',
  keep: 300,
  own: 'bob',
  inv: parseGrant({ pty: 'read' }),
  via: [
    { sub: 'bob', sid: 's0' },
    { sub: 'eve', sid: 's2', gen: '8-y' },
  ],
  ews: true,
};

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: now * 1000 });
  settings = {
    keys: await createKeyRing()({ current: secret }),
    issuer: 'us',
    audience: '/here',
    ttlMs: 300_000,
    sessionLifeMs: 3_600_000,
  };
});

afterEach(() => {
  vi.useRealTimers();
});

/** A token of ours that says what no broker of this release would have it say. */
function odd(claims: Record<string, unknown>, times = { now, exp: now + 300 }): Promise<string> {
  return signClaims('e2b-session+jwt', { ...whole, ...claims }, times, settings);
}

describe('a token', () => {
  test.each([least, whole])('says what was put into it, and no more', async (claims) => {
    const { token } = await signToken(claims, settings);
    expect(await verifyToken(token, settings)).toStrictEqual(claims);
  });

  test.each<[string, unknown[]]>([
    ['sub', [undefined, 7, null]],
    ['sid', [undefined, 7]],
    ['sbx', [undefined, 7, '', 'a.evil.example', '../x']],
    ['g', [undefined, 'all', { teleport: true }]],
    ['auth_time', [undefined, String(now), now + 1]],
    ['keep', ['300', null]],
    ['gen', [7]],
    ['own', [7, null]],
    ['inv', ['all', { teleport: true }]],
    [
      'via',
      [
        'bob',
        [],
        [null],
        [{ sub: 'bob' }],
        [{ sid: 's0' }],
        [{ sub: 7, sid: 's0' }],
        [{ sub: 'bob', sid: 's0', gen: 7 }],
        [{ sub: 'bob', sid: 's0' }, { sub: 'eve' }],
      ],
    ],
    ['ews', [false, 'yes', 1]],
    ['jti', [undefined]],
  ])('whose `%s` is not what it has to be is no token', async (name, values) => {
    for (const value of values) {
      const token = await odd({ [name]: value });
      await expect(verifyToken(token, settings)).rejects.toMatchObject({
        code: 'unauthenticated',
        statusCode: 401,
      });
    }
  });

  test.each(['iat', 'exp'])('without `%s` is no token', async (name) => {
    const { kid, alg, sign } = settings.keys.current;
    const claims: Record<string, unknown> = { ...least, jti: 'j', iss: 'us', aud: '/here', iat: now };
    const token = await new SignJWT({ ...claims, exp: now + 300, [name]: undefined })
      .setProtectedHeader({ typ: 'e2b-session+jwt', kid, alg })
      .sign(sign);
    await expect(verifyToken(token, settings)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('may be from a server whose clock is a minute ahead, and from no other time to come', async () => {
    const at = (iat: number, exp = iat + 300) => odd({}, { now: iat, exp });
    await verifyToken(await at(now + 60), settings);
    await expect(verifyToken(await at(now + 61), settings)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    const over = await at(now + 61, now - 1);
    await expect(verifyToken(over, settings, { expired: true })).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  test('that is over is expired, and passes for a refresh until its session is over', async () => {
    const { token, expiresAt, ttlMs } = await signToken(least, settings);
    expect([expiresAt, ttlMs]).toEqual([(now + 300) * 1000, 300_000]);
    vi.setSystemTime(expiresAt - 1);
    await verifyToken(token, settings);
    vi.setSystemTime(expiresAt);
    await expect(verifyToken(token, settings)).rejects.toMatchObject({ code: 'token_expired' });
    vi.setSystemTime((now + 3600) * 1000 - 1);
    expect(await verifyToken(token, settings, { expired: true })).toEqual(least);
    vi.setSystemTime((now + 3600) * 1000);
    await expect(verifyToken(token, settings, { expired: true })).rejects.toMatchObject({
      code: 'session_expired',
    });
  });

  test('ends with its session, or sooner where that is asked for', async () => {
    vi.setSystemTime((now + 3500) * 1000);
    expect(await signToken(least, settings)).toMatchObject({
      expiresAt: (now + 3600) * 1000,
      ttlMs: 100_000,
    });
    const notAfter = (now + 3510) * 1000 + 999;
    expect(await signToken(least, settings, { notAfter })).toMatchObject({ ttlMs: 10_000 });
    expect(await signToken(least, settings, { notAfter: (now + 9999) * 1000 })).toMatchObject({
      ttlMs: 100_000,
    });
  });

  test('of a preview is none of a session, nor the other way round', async () => {
    const { token: session } = await signToken(least, settings);
    const { token: preview } = await signToken(least, settings, { type: 'e2b-preview+jwt' });
    expect(await verifyToken(preview, settings, { type: 'e2b-preview+jwt' })).toEqual(least);
    for (const wrong of [
      verifyToken(preview, settings),
      verifyToken(session, settings, { type: 'e2b-preview+jwt' }),
    ]) {
      await expect(wrong).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });
});
