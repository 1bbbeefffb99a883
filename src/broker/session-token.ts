/**
 * The token that a page holds: a JWT that only a broker understands. It says who, which sandbox and what for, all of
 * which the page may read. It has nothing of envd's own token, not even encrypted: that one cannot be changed for the
 * life of a sandbox, so a copy that leaks with a signing key could never be made worthless again.
 */

import type { JWTPayload } from 'jose';
import type { FullGrant } from './grant.js';
import { sessionExpired, tokenExpired, unauthenticated } from './refusals.js';
import type { RevocableSession } from './revocation.js';
import { signClaims, type TokenSettings, type TokenType, verifyClaims } from './signed-token.js';
import { readGrant, readNumber, readSandboxId, readText, readTrue, readVia } from './token-claims.js';

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

/** The session's own token, or its cookie for a preview, whose grant is one port. */
type SessionTokenType = Extract<TokenType, 'e2b-session+jwt' | 'e2b-preview+jwt'>;

/**
 * Signs a token. It never outlives the session.
 * @param options.notAfter ends it sooner, in milliseconds since 1970.
 */
export async function signToken(
  claims: SessionClaims,
  settings: TokenSettings,
  {
    type = 'e2b-session+jwt',
    notAfter = Number.POSITIVE_INFINITY,
  }: { type?: SessionTokenType; notAfter?: number } = {},
): Promise<{ token: string; expiresAt: number; ttlMs: number }> {
  const now = Math.floor(Date.now() / 1000);
  const end = Math.floor(Math.min(sessionEndsAt(claims, settings), notAfter) / 1000);
  const exp = Math.min(now + Math.floor(settings.ttlMs / 1000), end);
  const token = await signClaims(type, claims, { now, exp }, settings);
  return { token, expiresAt: exp * 1000, ttlMs: (exp - now) * 1000 };
}

/**
 * Checks a token and gives what it says.
 * @param options.expired lets one pass whose time is over while its session's is not: for a refresh.
 */
export async function verifyToken(
  token: string,
  settings: TokenSettings,
  options: { expired?: boolean; type?: SessionTokenType } = {},
): Promise<SessionClaims> {
  const { payload, expired } = await verifyClaims(options.type ?? 'e2b-session+jwt', token, settings);
  const claims = readClaims(payload);
  if (Date.now() >= sessionEndsAt(claims, settings)) throw sessionExpired();
  if (expired && !options.expired) throw tokenExpired();
  return claims;
}

/** The subject whose processes and terminals the session has. */
export function processOwner({ sub, own }: { sub: string; own?: string | undefined }): string {
  return own ?? sub;
}

/** The session's absolute end, in milliseconds since 1970. */
export function sessionEndsAt(
  { auth_time }: Pick<SessionClaims, 'auth_time'>,
  { sessionLifeMs }: TokenSettings,
): number {
  return auth_time * 1000 + sessionLifeMs;
}

/** What a token need not have. */
const optionalClaims = {
  gen: readText,
  keep: readNumber,
  own: readText,
  inv: readGrant,
  via: readVia,
  ews: readTrue,
};

function readClaims(payload: JWTPayload): SessionClaims {
  const { sub, sid, sbx, g, auth_time, iat } = payload;
  const given = Object.entries(optionalClaims).filter(([name]) => payload[name] !== undefined);
  const claims: SessionClaims = {
    sub: readText(sub),
    sid: readText(sid),
    sbx: readSandboxId(sbx),
    g: readGrant(g),
    auth_time: readNumber(auth_time),
    ...Object.fromEntries(given.map(([name, read]) => [name, read(payload[name])])),
  };
  if (claims.auth_time > readNumber(iat)) throw unauthenticated();
  return claims;
}
