/** The keys that tokens are signed with. The algorithm belongs to the key and is never taken from a token. */

// Its CryptoKey: Node's types have no global one.
import { type CryptoKey, calculateJwkThumbprint, exportJWK, importJWK, type JWK } from 'jose';
import { InvalidArgumentError } from '../errors.js';
import { createBoundedCache } from './bounded-cache.js';

/**
 * - a text or bytes: a secret of at least 32 bytes, for HS256 (`openssl rand -base64 32` makes one)
 * - a JWK: `oct` for HS256, `OKP` Ed25519 for EdDSA, `EC` P-256 for ES256; its `kid` is kept
 * - a pair of CryptoKeys: Ed25519 or ECDSA on P-256
 */
export type SigningKey = string | Uint8Array | JWK | SigningKeyPair;

/** What `crypto.subtle.generateKey` makes. */
export interface SigningKeyPair {
  publicKey: CryptoKey;
  privateKey: CryptoKey;
}

/** What signs now, and what signed before and still verifies: leave a former key in for a session's life (8 h). */
export interface SigningKeys {
  current: SigningKey;
  /** Public parts alone will do. */
  previous?: readonly SigningKey[];
}

export type TokenAlgorithm = 'HS256' | 'EdDSA' | 'ES256';

/** A key as it is used. */
export interface TokenKey {
  kid: string;
  alg: TokenAlgorithm;
  verify: CryptoKey;
  /** Absent where only the public part is known. */
  sign?: CryptoKey;
  /** The public part; absent for a secret, which has none. */
  publicJwk?: JWK;
}

export interface TokenKeys {
  current: TokenKey & Required<Pick<TokenKey, 'sign'>>;
  byId(kid: string | undefined): TokenKey | undefined;
  /** The public parts of those that have one. */
  published: readonly JWK[];
}

const minSecretBytes = 32;

/** Turns keys as they are configured into keys as they are used; what was imported once is kept. */
export function createKeyRing(): (keys: SigningKeys) => Promise<TokenKeys> {
  const texts = createBoundedCache<TokenKey>(3_600_000, 16);
  const objects = new WeakMap<object, TokenKey>();

  async function prepared(key: SigningKey): Promise<TokenKey> {
    const known = typeof key === 'string' ? texts.get(key) : objects.get(key);
    if (known) return known;
    const made = await prepareKey(key);
    if (typeof key === 'string') texts.set(key, made);
    else objects.set(key, made);
    return made;
  }

  return async (keys) => {
    if (!keys?.current) throw invalidKey('`signingKeys.current` is missing');
    const all = await Promise.all([keys.current, ...(keys.previous ?? [])].map(prepared));
    const current = all[0] as TokenKey;
    if (!current.sign) throw invalidKey('`signingKeys.current` has no private part, so it cannot sign');
    return {
      current: { ...current, sign: current.sign },
      byId: (kid) => all.find((key) => key.kid === kid),
      published: all.flatMap(({ publicJwk }) => publicJwk ?? []),
    };
  };
}

async function prepareKey(key: SigningKey): Promise<TokenKey> {
  if (typeof key === 'string') return secretKey(new TextEncoder().encode(key));
  if (key instanceof Uint8Array) return secretKey(key);
  if ('publicKey' in key) return pairKey(key);
  return jwkKey(key as JWK);
}

async function secretKey(secret: Uint8Array, kid?: string): Promise<TokenKey> {
  if (secret.length < minSecretBytes) {
    throw invalidKey(
      `the secret has ${secret.length} bytes and needs at least ${minSecretBytes}: \`openssl rand -base64 32\` makes one`,
    );
  }
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', secret as BufferSource, hmac, false, ['sign', 'verify']);
  return { kid: kid ?? (await secretId(key)), alg: 'HS256', sign: key, verify: key };
}

/** A name that says nothing of the secret to who does not have it. */
async function secretId(key: CryptoKey): Promise<string> {
  const digest = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode('e2b-edge key id'));
  return Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function pairKey({ publicKey, privateKey }: SigningKeyPair): Promise<TokenKey> {
  return { ...(await publicKeyOf(await exportJWK(publicKey))), sign: privateKey };
}

async function jwkKey(jwk: JWK): Promise<TokenKey> {
  if (jwk.kty === 'oct') return secretKey((await importJWK(jwk, 'HS256')) as Uint8Array, jwk.kid);
  const key = await publicKeyOf(jwk);
  if (jwk.d === undefined) return key;
  return { ...key, sign: (await importJWK({ ...coordinates(jwk), d: jwk.d }, key.alg)) as CryptoKey };
}

async function publicKeyOf(jwk: JWK): Promise<TokenKey> {
  const alg = algorithmOf(jwk);
  const own = coordinates(jwk);
  const kid = jwk.kid ?? (await calculateJwkThumbprint(own));
  const verify = (await importJWK(own, alg)) as CryptoKey;
  return { kid, alg, verify, publicJwk: { ...own, kid, alg, use: 'sig' } };
}

/** The members that make a public key: what is published is made of them alone, whatever else was given. */
function coordinates({ kty, crv, x, y }: JWK): JWK {
  return { kty, crv, x, ...(y !== undefined && { y }) } as JWK;
}

function algorithmOf(jwk: JWK): TokenAlgorithm {
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return 'EdDSA';
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') return 'ES256';
  throw invalidKey(
    `a key of kind ${jwk.kty} ${jwk.crv ?? ''} is not one of: a secret, Ed25519, ECDSA on P-256`,
  );
}

function invalidKey(what: string): InvalidArgumentError {
  return new InvalidArgumentError(`Wrong \`signingKeys\`: ${what}.`, { code: 'invalid_signing_key' });
}
