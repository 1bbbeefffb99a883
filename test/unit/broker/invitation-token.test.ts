import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { harness, host, invalid, invite, join, useGuests, watch } from './support/guests.js';
import { refusal, secret } from './support/harness.js';

useGuests();

describe('the tokens of a session and of an invitation', () => {
  const key = new TextEncoder().encode(secret);
  const parts = (token: string) =>
    token
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString())) as [{ kid: string }, object];
  const forge = (token: string, header: object, claims: object = {}) =>
    new SignJWT({ ...parts(token)[1], ...claims })
      .setProtectedHeader({ alg: 'HS256', ...parts(token)[0], ...header })
      .sign(key);

  test('are never taken for one another', async () => {
    const session = await host(watch);
    const invitation = await invite(session);
    for (const [path, method] of [
      ['/sessions/refresh', 'POST'],
      [`/sessions/${session.sessionId}`, 'GET'],
      [`/envd/${session.sandboxId}/health`, 'GET'],
    ] as const) {
      const headers = { authorization: `Bearer ${invitation}` };
      expect(await refusal(await harness.send(path, { method, headers }))).toMatchObject({ status: 401 });
    }
    await expect(join(session.token)).rejects.toMatchObject(invalid);
    // Though each had all that the other needs.
    const claims = { ...parts(session.token)[1], ...parts(invitation)[1] };
    await expect(join(await forge(session.token, {}, claims))).rejects.toMatchObject(invalid);
    const headers = { authorization: `Bearer ${await forge(invitation, {}, claims)}` };
    const health = await harness.send(`/envd/${session.sandboxId}/health`, { headers });
    expect(await refusal(health)).toEqual({ status: 401, code: 'unauthenticated' });
  });

  test.each<[string, object, object]>([
    ['another type', { typ: 'JWT' }, {}],
    ['no type', { typ: undefined }, {}],
    ['an unknown key', { kid: 'other' }, {}],
    ['another algorithm', { alg: 'HS512' }, {}],
    ['another issuer', {}, { iss: 'other' }],
    ['another audience', {}, { aud: '/other' }],
    ['a time that is over', {}, { exp: 1 }],
    ['no end', {}, { exp: undefined }],
    ['a time to come', {}, { iat: Date.now() / 1000 + 600 }],
    ['no name', {}, { jti: undefined }],
    ['nobody who invites', {}, { via: [] }],
    ['no sessions', {}, { via: undefined }],
    ['no owner', {}, { own: undefined }],
    ['a grant that is none', {}, { g: { root: true } }],
    ['a sandbox that is a host', {}, { sbx: 'evil.example/' }],
    ['no number of uses', {}, { uses: 'all' }],
    ['a session that is long over', {}, { auth_time: 1 }],
  ])('an invitation of %s is none', async (_what, header, claims) => {
    const invitation = await invite(await host(watch));
    await expect(join(await forge(invitation, header, claims))).rejects.toMatchObject(invalid);
    await join(await forge(invitation, {}));
  });

  test('an invitation of another key is none', async () => {
    const invitation = await invite(await host(watch));
    const [head, body] = invitation.split('.');
    const forged = await new SignJWT(parts(invitation)[1] as never)
      .setProtectedHeader({ alg: 'HS256', ...parts(invitation)[0] })
      .sign(new TextEncoder().encode('another secret of thirty-two bytes'));
    for (const token of [forged, `${head}.${body}.`, 'nonsense', '']) {
      await expect(join(token)).rejects.toMatchObject(invalid);
    }
  });
});
