import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JWK,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrokerOptions } from '../../../src/broker/broker-options.js';
import type { SigningKey, SigningKeys } from '../../../src/broker/signing-keys.js';
import type { Session } from '../../../src/wire/session.js';
import { bearer, everything, type Harness, refusal, secret, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;

beforeAll(async () => {
  harness = await startHarness();
  session = await harness.mint();
});

afterAll(() => harness.close());

const key = new TextEncoder().encode(secret);
const now = () => Math.floor(Date.now() / 1000);

/** A token like the broker's own, but for what is changed. */
function forge(
  change: { claims?: Record<string, unknown>; header?: Record<string, unknown>; key?: Uint8Array } = {},
): Promise<string> {
  const [head = '', body = ''] = session.token
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString());
  return new SignJWT({ ...JSON.parse(body), ...change.claims })
    .setProtectedHeader({ ...JSON.parse(head), ...change.header })
    .sign(change.key ?? key);
}

async function use(
  token: string,
  sandboxId = session.sandboxId,
): Promise<{ status: number; code?: string | undefined }> {
  const { length } = harness.fake.envd;
  const response = await harness.send(`/envd/${sandboxId}/health`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (response.status === 204) return { status: 204 };
  expect(harness.fake.envd.length).toBe(length);
  return refusal(response);
}

const refused = { status: 401, code: 'unauthenticated' };

describe('a token', () => {
  test('that is the broker’s own is good, also when made here', async () => {
    expect(await use(session.token)).toEqual({ status: 204 });
    expect(await use(await forge())).toEqual({ status: 204 });
  });

  test.each([
    ['another key', { key: new TextEncoder().encode('another secret of thirty-two bytes') }],
    ['another issuer', { claims: { iss: 'someone' } }],
    ['another audience', { claims: { aud: '/other' } }],
    ['another type', { header: { typ: 'JWT' } }],
    ['an unknown key id', { header: { kid: 'nobody' } }],
    ['no key id', { header: { kid: undefined } }],
    ['another algorithm of the same key', { header: { alg: 'HS512' } }],
    ['a time to come', { claims: { iat: now() + 600, exp: now() + 900 } }],
    ['a start to come', { claims: { nbf: now() + 600 } }],
    ['a session that began after it', { claims: { auth_time: now() + 50 } }],
    ['no end', { claims: { exp: undefined } }],
    ['no session', { claims: { sid: undefined } }],
    ['no grant', { claims: { g: undefined } }],
    ['a grant of a later version', { claims: { g: { ...everything, teleport: true } } }],
    ['a sandbox that is a host', { claims: { sbx: 'a.evil.example' } }],
  ])('of %s is refused', async (_name, change) => {
    expect(await use(await forge(change))).toEqual(refused);
  });

  test('without a signature is refused', async () => {
    const claims = JSON.parse(Buffer.from(session.token.split('.')[1] ?? '', 'base64url').toString());
    expect(await use(new UnsecuredJWT(claims).encode())).toEqual(refused);
    const [head, body] = session.token.split('.');
    expect(await use(`${head}.${body}.`)).toEqual(refused);
    expect(await use('nonsense')).toEqual(refused);
    expect(await use('')).toEqual(refused);
  });

  test('that was changed is refused', async () => {
    const [head, body = '', signature] = session.token.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const changed = Buffer.from(JSON.stringify({ ...claims, sbx: 'i2' })).toString('base64url');
    expect(await use(`${head}.${changed}.${signature}`, 'i2')).toEqual(refused);
  });

  test('whose time is over is expired, which a refresh heals', async () => {
    expect(
      await use(await forge({ claims: { iat: now() - 600, auth_time: now() - 600, exp: now() - 300 } })),
    ).toEqual({
      status: 401,
      code: 'token_expired',
    });
  });

  test('whose session is over is of no use, however long it says to be good', async () => {
    const claims = { iat: now() - 9 * 3600, auth_time: now() - 9 * 3600, exp: now() + 300 };
    expect(await use(await forge({ claims }))).toEqual({ status: 401, code: 'session_expired' });
  });

  test('is for its own sandbox alone', async () => {
    const other = await harness.mint();
    expect(await use(session.token, other.sandboxId)).toEqual(refused);
  });

  test('of a sandbox that is no id does not get to the control plane either', async () => {
    const token = await forge({ claims: { sbx: '../templates' } });
    const { length } = harness.fake.control;
    const response = await harness.send('/sessions/refresh', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await refusal(response)).toEqual(refused);
    expect(harness.fake.control.length).toBe(length);
  });

  test('in the URL is none', async () => {
    const response = await harness.send(`/envd/${session.sandboxId}/health?access_token=${session.token}`);
    expect(await refusal(response)).toEqual(refused);
  });

  test('says when it is refused how to come by a good one, and no more', async () => {
    const response = await harness.send(`/envd/${session.sandboxId}/health`);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(Object.keys((await response.json()) as object).sort()).toEqual(['code', 'message', 'requestId']);
  });
});

describe('keys', () => {
  async function withKeys(
    signingKeys: BrokerOptions<undefined>['signingKeys'],
    run: (harness: Harness) => Promise<void>,
  ) {
    const other = await startHarness({ signingKeys });
    try {
      await run(other);
    } finally {
      await other.close();
    }
  }

  const works = async (one: Harness) => {
    const minted = await one.mint();
    const response = await one.send(`/envd/${minted.sandboxId}/health`, { headers: bearer(minted) });
    expect(response.status).toBe(204);
  };

  test.each(['EdDSA', 'ES256'])('of %s work as CryptoKeys and as JWK', async (alg) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    await withKeys({ current: pair }, works);
    await withKeys({ current: await exportJWK(pair.privateKey) }, works);
  });

  test('may be bytes, a JWK of bytes, or come out of the environment', async () => {
    await withKeys({ current: key }, works);
    await withKeys(
      { current: { kty: 'oct', k: Buffer.from(key).toString('base64url'), kid: 'mine' } },
      works,
    );
    await withKeys(async () => ({ current: secret }), works);
  });

  test('that signed before still verify, and no longer when they are taken out', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const publicJwk = await exportJWK(pair.publicKey);
    let keys: SigningKeys = { current: pair };
    await withKeys(
      () => keys,
      async (one) => {
        const minted = await one.mint();
        const status = async () => {
          const response = await one.send(`/envd/${minted.sandboxId}/health`, { headers: bearer(minted) });
          return response.status;
        };
        keys = { current: secret, previous: [publicJwk] };
        expect(await status()).toBe(204);
        keys = { current: secret };
        expect(await status()).toBe(401);
      },
    );
  });

  test('a public key does not verify as a secret', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(pair.privateKey)), kid: 'k' };
    await withKeys({ current: jwk }, async (one) => {
      const minted = await one.mint();
      const claims = JSON.parse(Buffer.from(minted.token.split('.')[1] ?? '', 'base64url').toString());
      const publicText = new TextEncoder().encode(JSON.stringify(await exportJWK(pair.publicKey)));
      const forged = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: 'k', typ: 'e2b-session+jwt' })
        .sign(publicText);
      const response = await one.send(`/envd/${minted.sandboxId}/health`, {
        headers: { authorization: `Bearer ${forged}` },
      });
      expect(response.status).toBe(401);
    });
  });

  test.each<[string, SigningKey, RegExp]>([
    ['a short secret', 'short', /5 bytes and needs at least 32/],
    ['an RSA key', { kty: 'RSA' }, /RSA/],
    [
      'a public key',
      { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
      /cannot sign/,
    ],
  ])('refuse %s in clear words, for the log alone', async (_name, current, words) => {
    await withKeys({ current }, async (one) => {
      await expect(one.mint()).rejects.toMatchObject({ code: 'broker_misconfigured' });
      expect(String(one.events[0]?.cause)).toMatch(words);
    });
  });
});

describe('the published keys', () => {
  async function published(signingKeys: SigningKeys): Promise<{ status: number; text: string }> {
    const one = await startHarness({ signingKeys });
    const response = await one.send('/.well-known/jwks.json');
    const text = await response.text();
    await one.close();
    return { status: response.status, text };
  }

  test('are the public parts, also of those that signed before, and verify a token', async () => {
    const pair = await generateKeyPair('EdDSA', { extractable: true });
    const former = await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey);
    const signingKeys = {
      current: pair,
      previous: [{ ...former, kid: 'former', key_ops: ['sign'] }, secret],
    };
    const one = await startHarness({ signingKeys });
    const response = await one.send('/.well-known/jwks.json');
    const { keys } = (await response.json()) as { keys: JWK[] };
    expect(keys.map((jwk) => Object.keys(jwk).sort())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    ]);
    expect(keys[1]).toMatchObject({ kid: 'former', alg: 'ES256', use: 'sig' });
    const { token } = await one.mint();
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys }));
    expect(payload.sub).toBe('ann');
    await one.close();
  });

  test('never have a private part, wherever that was put', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const whole = await exportJWK(pair.privateKey);
    for (const current of [whole, { publicKey: pair.privateKey, privateKey: pair.privateKey }]) {
      const { text } = await published({ current });
      expect(text).not.toContain(whole.d);
      expect(text).not.toContain('"d"');
    }
  });

  test('are none where there are secrets alone', async () => {
    for (const current of [secret, key, { kty: 'oct', k: Buffer.from(key).toString('base64url') }] as const) {
      const { status, text } = await published({ current });
      expect(status).toBe(404);
      expect(text).not.toContain(Buffer.from(key).toString('base64url'));
      expect(text).not.toContain('"keys"');
    }
  });
});

describe('brokers with the same key', () => {
  async function crossed(more: Partial<BrokerOptions<undefined>>): Promise<unknown> {
    const other = await startHarness({ apiUrl: harness.fake.url, sandboxUrl: harness.fake.url, ...more });
    const base = more.basePath ?? '/api/sandbox';
    const response = await other.send(`https://any.test${base}/envd/${session.sandboxId}/health`, {
      headers: bearer(session),
    });
    await other.close();
    return response.status === 204 ? 204 : refusal(response);
  }

  test('take each other’s tokens where they are one broker in several places', async () => {
    expect(await crossed({})).toBe(204);
  });

  test.each([
    ['issuer', { issuer: 'another' }],
    ['basePath', { basePath: '/other' }],
    ['publicUrl', { publicUrl: 'https://api.example/api/sandbox' }],
  ])('do not where their %s differs', async (_name, more) => {
    expect(await crossed(more)).toEqual(refused);
  });
});
