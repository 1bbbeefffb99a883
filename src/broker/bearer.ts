/** The session that a token stands for. */

import type { Exchange, Scope } from './exchange.js';
import type { StreamLife } from './guarded-stream.js';
import { keepAliveInterval } from './keep-alive.js';
import { misconfigured, sessionExpired, unauthenticated } from './refusals.js';
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
  const token = /^Bearer ([\w.-]+)$/i.exec(exchange.request.headers.get('authorization') ?? '')?.[1];
  if (token === undefined) throw unauthenticated();
  return verifySession(exchange, token, options);
}

/** Verifies a token, and that its session was not ended. */
export async function verifySession<Env>(
  { credentials, event, options: { store } }: Scope<Env>,
  token: string,
  options: { expired?: boolean } = {},
): Promise<SessionClaims> {
  const claims = await verifyToken(token, credentials.tokens, options);
  Object.assign(event, { subject: claims.sub, sessionId: claims.sid, sandboxId: claims.sbx });
  let revoked = false;
  try {
    revoked = (await store?.isRevoked(claims.sid)) ?? false;
  } catch (cause) {
    throw misconfigured('The store did not say whether the session was ended', cause);
  }
  if (revoked) throw sessionExpired();
  return claims;
}

/**
 * How long what is open for a session may stay so, and what that does for its sandbox.
 * @param current the credentials of the moment, for what outlives the request that opened it.
 */
export function lifeOf<Env>(
  { credentials, keepAlive, options: { store } }: Scope<Env>,
  claims: SessionClaims,
  current: () => Credentials | Promise<Credentials> = () => credentials,
): StreamLife & { until: number } {
  const extend = async (): Promise<void> => keepAlive(claims, await current());
  return {
    until: sessionEndsAt(claims, credentials.tokens),
    ...(store && { isOver: () => store.isRevoked(claims.sid) }),
    ...(claims.keep !== undefined && { keepAlive: { everyMs: keepAliveInterval(claims), extend } }),
  };
}
