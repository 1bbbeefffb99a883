/**
 * The broker's own tokens: JWTs of several types, each of which is good for one thing alone. A token of one type is never
 * taken for one of another: the type is checked along with the key, the issuer and the audience.
 */

import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { unauthenticated } from './refusals.js';
import type { TokenKeys } from './signing-keys.js';

export type TokenType = 'e2b-session+jwt' | 'e2b-invitation+jwt' | 'e2b-preview+jwt';

/** What tokens are made and checked with. */
export interface TokenSettings {
  keys: TokenKeys;
  issuer: string;
  audience: string;
  /** How long a session's token is good for, in milliseconds. */
  ttlMs: number;
  /** How long a session can be refreshed, in milliseconds from its beginning. */
  sessionLifeMs: number;
}

/** Another server's clock may be ahead by so much. */
const clockSkewSeconds = 60;

/**
 * Signs a token.
 * @param now in seconds since 1970, as is `exp`: when it ends.
 */
export function signClaims(
  type: TokenType,
  claims: object,
  { now, exp }: { now: number; exp: number },
  { keys, issuer, audience }: TokenSettings,
): Promise<string> {
  const { kid, alg, sign } = keys.current;
  return new SignJWT({ jti: crypto.randomUUID(), ...claims } as JWTPayload)
    .setProtectedHeader({ typ: type, kid, alg })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(exp)
    .sign(sign);
}

/**
 * Checks the signature and what all tokens have; the rest is for whoever knows the type.
 * @throws `unauthenticated`, without a word of why.
 */
export async function verifyClaims(
  type: TokenType,
  token: string,
  { keys, issuer, audience }: TokenSettings,
): Promise<{ payload: JWTPayload; expired: boolean }> {
  try {
    const key = keys.byId(decodeProtectedHeader(token).kid);
    if (!key) throw unauthenticated();
    const { payload } = await jwtVerify(token, key.verify, {
      // The key's own: what the token says of it decides nothing.
      algorithms: [key.alg],
      typ: type,
      issuer,
      audience,
      requiredClaims: ['jti', 'iat', 'exp'],
    });
    requireBegun(payload);
    return { payload, expired: false };
  } catch (error) {
    // jose looks at the time last: the signature and the other claims of an expired token were found good.
    if (!(error instanceof errors.JWTExpired)) throw unauthenticated();
    requireBegun(error.payload);
    return { payload: error.payload, expired: true };
  }
}

function requireBegun({ iat = 0 }: JWTPayload): void {
  if (iat > Date.now() / 1000 + clockSkewSeconds) throw unauthenticated();
}
