/** The session that a token stands for. */

import type { Exchange, Scope } from './exchange.js';
import { keepAliveInterval } from './keep-alive.js';
import { routeNotFound, unauthenticated } from './refusals.js';
import type { SessionLife } from './session-life.js';
import { type SessionClaims, sessionEndsAt, verifyToken } from './session-token.js';
import type { Credentials } from './settings.js';

/**
 * The session of a request, by its bearer token.
 * @param options see {@link verifyToken}.
 */
export async function sessionOf<Env>(
  exchange: Exchange<Env>,
  options: { expired?: boolean } = {},
): Promise<SessionClaims> {
  const token = exchange.request.headers.get('authorization')?.match(/^Bearer ([\w.-]+)$/i)?.[1];
  if (token === undefined) throw unauthenticated();
  return verifySession(exchange, token, options);
}

/** The session of a request, which has to be the one that its path names. */
export async function ownSession<Env>(exchange: Exchange<Env>, sessionId: string): Promise<SessionClaims> {
  const claims = await sessionOf(exchange);
  if (claims.sid !== sessionId) throw routeNotFound();
  return claims;
}

/** Verifies a token, and that its session was not ended. */
export async function verifySession<Env>(
  { credentials, event, revocations }: Scope<Env>,
  token: string,
  options: Parameters<typeof verifyToken>[2] = {},
): Promise<SessionClaims> {
  const claims = await verifyToken(token, credentials.tokens, options);
  Object.assign(event, { subject: claims.sub, sessionId: claims.sid, sandboxId: claims.sbx });
  await revocations.check(claims);
  return claims;
}

/**
 * How long what is open for a session may stay so, and what that does for its sandbox.
 * @param current the credentials of the moment, for what outlives the request that opened it.
 */
export function lifeOf<Env>(
  { credentials, keepAlive, revocations }: Scope<Env>,
  claims: SessionClaims,
  current: () => Credentials | Promise<Credentials> = () => credentials,
): SessionLife & { until: number } {
  const extend = async (): Promise<void> => keepAlive(claims, await current());
  return {
    until: sessionEndsAt(claims, credentials.tokens),
    ...(revocations.areKept && { check: () => revocations.check(claims) }),
    ...(claims.keep !== undefined && { keepAlive: { everyMs: keepAliveInterval(claims), extend } }),
  };
}
