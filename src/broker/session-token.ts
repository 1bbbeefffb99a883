/**
 * The token that a page holds: a JWT that only a broker understands. It says who, which sandbox and what for, all of
 * which the page may read. It has nothing of envd's own token, not even encrypted: that one cannot be changed for the
 * life of a sandbox, so a copy that leaks with a signing key could never be made worthless again.
 */

import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { type FullGrant, parseGrant } from './grant.js';
import { sessionExpired, tokenExpired, unauthenticated } from './refusals.js';
import type { RevocableSession } from './revocation.js';
import { sandboxIdPattern } from './routes.js';
import type { TokenKeys } from './signing-keys.js';

/** What a token says. Times are in seconds since 1970. */
export interface SessionClaims {
  /** The user, as the application names them. */
  sub: string;
  /** The session: the same in all tokens that come from one another by refresh. */
  sid: string;
  /** The sandbox. */
  sbx: string;
  /** What may be done with it. */
  g: FullGrant;
  /** Which of the subject's sign-ins this is, where some were revoked lately. */
  gen?: string;
  /** When the session began; its absolute life counts from here. */
  auth_time: number;
  /** How long the sandbox lives on once no page is attached; absent where a page does not keep it alive. */
  keep?: number;
  /** The subject whose processes it has; absent where that is its own. */
  own?: string;
  /** The most that it may pass on by invitations; absent where it cannot invite. */
  inv?: FullGrant;
  /** The sessions that it came from by invitation, the first one first: it ends with any of them. */
  via?: readonly RevocableSession[];
  /** Whether the sandbox is killed when the session is ended. */
  ews?: true;
}

/** What tokens are made and checked with. */
export interface TokenSettings {
  keys: TokenKeys;
  issuer: string;
  audience: string;
  /** How long a token is good for, in milliseconds. */
  ttlMs: number;
  /** How long a session can be refreshed, in milliseconds from its beginning. */
  sessionLifeMs: number;
}

const tokenType = 'e2b-session+jwt';
/** Another server's clock may be ahead by so much. */
const clockSkewSeconds = 60;

/** Signs a token. It never outlives the session. */
export async function signToken(
  claims: SessionClaims,
  settings: TokenSettings,
): Promise<{ token: string; expiresAt: number; ttlMs: number }> {
  const now = Math.floor(Date.now() / 1000);
  const end = Math.floor(sessionEndsAt(claims, settings) / 1000);
  const exp = Math.min(now + Math.floor(settings.ttlMs / 1000), end);
  const { kid, alg, sign } = settings.keys.current;
  const token = await new SignJWT({ ...claims, jti: crypto.randomUUID() } as unknown as JWTPayload)
    .setProtectedHeader({ typ: tokenType, kid, alg })
    .setIssuer(settings.issuer)
    .setAudience(settings.audience)
    .setIssuedAt(now)
    .setExpirationTime(exp)
    .sign(sign);
  return { token, expiresAt: exp * 1000, ttlMs: (exp - now) * 1000 };
}

/**
 * Checks a token and gives what it says.
 * @param options.expired lets one pass whose time is over while its session's is not: for a refresh.
 */
export async function verifyToken(
  token: string,
  settings: TokenSettings,
  options: { expired?: boolean } = {},
): Promise<SessionClaims> {
  const { payload, expired } = await verifySignature(token, settings);
  const claims = readClaims(payload);
  if (Date.now() >= sessionEndsAt(claims, settings)) throw sessionExpired();
  if (expired && !options.expired) throw tokenExpired();
  return claims;
}

/** The subject whose processes and terminals the session has. */
export function processOwner({ sub, own }: SessionClaims): string {
  return own ?? sub;
}

/** The session's absolute end, in milliseconds since 1970. */
export function sessionEndsAt(claims: SessionClaims, settings: TokenSettings): number {
  return claims.auth_time * 1000 + settings.sessionLifeMs;
}

async function verifySignature(
  token: string,
  settings: TokenSettings,
): Promise<{ payload: JWTPayload; expired: boolean }> {
  try {
    const { payload } = await jwtVerify(
      token,
      (header) => {
        const key = settings.keys.byId(header.kid ?? '');
        if (!key || key.alg !== header.alg) throw unauthenticated();
        return key.verify;
      },
      {
        algorithms: ['HS256', 'EdDSA', 'ES256'],
        typ: tokenType,
        issuer: settings.issuer,
        audience: settings.audience,
        requiredClaims: ['sub', 'jti', 'sid', 'iat', 'exp', 'sbx', 'g', 'auth_time'],
      },
    );
    return { payload, expired: false };
  } catch (error) {
    // jose looks at the time last: the signature and the other claims of an expired token were found good.
    if (error instanceof errors.JWTExpired) return { payload: error.payload, expired: true };
    throw unauthenticated();
  }
}

function readClaims(payload: JWTPayload): SessionClaims {
  const { sub, sid, sbx, g, gen, auth_time, keep, own, inv, via, ews, iat } = payload as Record<
    string,
    unknown
  >;
  const now = Date.now() / 1000;
  if (
    typeof sub !== 'string' ||
    typeof sid !== 'string' ||
    typeof sbx !== 'string' ||
    !sandboxIdPattern.test(sbx) ||
    typeof auth_time !== 'number' ||
    (keep !== undefined && typeof keep !== 'number') ||
    (gen !== undefined && typeof gen !== 'string') ||
    (own !== undefined && typeof own !== 'string') ||
    (via !== undefined && !isVia(via)) ||
    (ews !== undefined && ews !== true) ||
    typeof iat !== 'number' ||
    iat > now + clockSkewSeconds ||
    auth_time > iat
  ) {
    throw unauthenticated();
  }
  return {
    sub,
    sid,
    sbx,
    g: readGrant(g),
    auth_time,
    ...(keep !== undefined && { keep }),
    ...(own !== undefined && { own }),
    ...(inv !== undefined && { inv: readGrant(inv) }),
    ...(via !== undefined && { via }),
    ...(ews !== undefined && { ews }),
    ...(gen !== undefined && { gen }),
  };
}

function isVia(value: unknown): value is readonly RevocableSession[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((entry) => {
      const { sub, sid, gen = '' } = Object(entry) as Record<string, unknown>;
      return [sub, sid, gen].every((name) => typeof name === 'string');
    })
  );
}

/** A token of a newer broker may grant what this one does not know; it is not guessed at. */
function readGrant(value: unknown): FullGrant {
  try {
    return parseGrant(value);
  } catch {
    throw unauthenticated();
  }
}
