/**
 * The broker's own tokens: JWTs of several types, each of which is good for one thing alone. A token of one type is never
 * taken for one of another: the type is checked along with the key, the issuer and the audience.
 */

import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
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
 * @param required names of claims that have to be there, beside `jti`, `iat` and `exp`.
 * @throws `unauthenticated`, without a word of why.
 */
export async function verifyClaims(
  type: TokenType,
  token: string,
  required: readonly string[],
  { keys, issuer, audience }: TokenSettings,
): Promise<{ payload: JWTPayload; expired: boolean }> {
  try {
    const { payload } = await jwtVerify(
      token,
      (header) => {
        const key = keys.byId(header.kid ?? '');
        if (!key || key.alg !== header.alg) throw unauthenticated();
        return key.verify;
      },
      {
        algorithms: ['HS256', 'EdDSA', 'ES256'],
        typ: type,
        issuer,
        audience,
        requiredClaims: ['jti', 'iat', 'exp', ...required],
      },
    );
    requireBegun(payload);
    return { payload, expired: false };
  } catch (error) {
    // jose looks at the time last: the signature and the other claims of an expired token were found good.
    if (!(error instanceof errors.JWTExpired)) throw unauthenticated();
    requireBegun(error.payload);
    return { payload: error.payload, expired: true };
  }
}

function requireBegun({ iat }: JWTPayload): void {
  if (typeof iat !== 'number' || iat > Date.now() / 1000 + clockSkewSeconds) throw unauthenticated();
}
