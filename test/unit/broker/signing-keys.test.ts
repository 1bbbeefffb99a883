import { createHmac } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, test } from 'vitest';
import { createKeyRing, type SigningKey, type SigningKeys } from '../../../src/broker/signing-keys.js';
import { secret } from './support/harness.js';

const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
const wrong = expect.objectContaining({ code: 'invalid_signing_key' });

async function current(key: SigningKey) {
  return (await createKeyRing()({ current: key })).current;
}

describe('a secret', () => {
  test('has a name that tells nothing of it and is the same in the next release', async () => {
    const kid = createHmac('sha256', secret).update('e2b-edge key id').digest('hex').slice(0, 16);
    expect(await current(secret)).toMatchObject({ kid, alg: 'HS256' });
    expect((await current(new TextEncoder().encode(secret))).kid).toBe((await current(secret)).kid);
    expect((await current(`${secret}.`)).kid).not.toBe((await current(secret)).kid);
    const k = Buffer.from(secret).toString('base64url');
    expect((await current({ kty: 'oct', k })).kid).toBe((await current(secret)).kid);
    expect((await current({ kty: 'oct', k, kid: 'mine' })).kid).toBe('mine');
  });

  test('cannot be read out of its key again', async () => {
    expect((await current(secret)).sign.extractable).toBe(false);
  });

  test('has at least 32 bytes', async () => {
    await current('x'.repeat(32));
    await expect(current('x'.repeat(31))).rejects.toEqual(wrong);
  });
});

describe('a key', () => {
  test.each<SigningKey>([
    { kty: 'RSA' },
    { kty: 'OKP', crv: 'X25519', x },
    { kty: 'OKP', crv: 'P-256', x },
    { kty: 'EC', crv: 'P-384', x, y: x },
    { kty: 'EC', crv: 'Ed25519', x },
    { kty: 'OKP', crv: 'Ed25519', x },
  ])('like %j does not sign', async (key) => {
    await expect(current(key)).rejects.toEqual(wrong);
  });

  test('that is missing is said to be', async () => {
    for (const keys of [undefined, {}, { current: '' }]) {
      await expect(createKeyRing()(keys as SigningKeys)).rejects.toEqual(wrong);
    }
  });

  test('is imported once', async () => {
    const ring = createKeyRing();
    const pair = await generateKeyPair('EdDSA');
    for (const key of [secret, new TextEncoder().encode(secret), pair]) {
      const first = await ring({ current: key });
      expect((await ring({ current: key })).current.verify).toBe(first.current.verify);
    }
  });

  test('is found by its name among those of now and of before, and under no other', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const before = { ...(await exportJWK(privateKey)), kid: 'before' };
    const keys = await createKeyRing()({ current: secret, previous: [before] });
    expect(keys.byId('before')).toMatchObject({ kid: 'before', alg: 'ES256' });
    expect(keys.byId(keys.current.kid)).toMatchObject({ alg: 'HS256' });
    expect(keys.byId('other')).toBeUndefined();
    expect(keys.byId(undefined)).toBeUndefined();
    expect((await createKeyRing()({ current: secret })).byId('before')).toBeUndefined();
  });
});
