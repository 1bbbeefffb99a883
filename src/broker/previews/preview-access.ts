/** Who may reach a preview: by the cookie that entering it gave, or by a session's own token. */

import { decodeProtectedHeader } from 'jose';
import { verifySession } from '../bearer.js';
import { checkOrigin } from '../cors.js';
import type { Exchange } from '../exchange.js';
import { notGranted, originNotAllowed, unauthenticated } from '../refusals.js';
import type { SessionClaims } from '../session-token.js';
import { tokenOfCookie } from './preview-cookies.js';
import type { PreviewTarget } from './preview-target.js';

/** A WebSocket of a page has no header for a token, but it names subprotocols: this one is never passed on. */
export const bearerProtocol = 'e2b-edge.bearer.';

export interface PreviewAccess {
  claims: SessionClaims;
  by: 'cookie' | 'bearer';
}

/**
 * Lets a request in, or refuses it. A cookie goes with requests that other sites cause as well, so those are told apart;
 * what has a token was made by who holds it.
 */
export async function previewAccess<Env>(
  exchange: Exchange<Env>,
  target: PreviewTarget,
): Promise<PreviewAccess> {
  const { request, credentials } = exchange;
  const cookie = tokenOfCookie(request.headers.get('cookie'), target);
  if (cookie !== undefined) {
    checkInitiator(request, target, credentials.origins);
    const claims = await verifySession(exchange, cookie, { type: 'e2b-preview+jwt' });
    // Below the broker's path the address names the session: see pathRoot.
    if (target.origin === undefined && target.sessionId !== claims.sid) throw unauthenticated();
    return { claims: ofTarget(claims, target), by: 'cookie' };
  }
  return { claims: await bearerAccess(exchange, target), by: 'bearer' };
}

/** Lets a request in by a session's token alone. */
export async function bearerAccess<Env>(
  exchange: Exchange<Env>,
  target: PreviewTarget,
): Promise<SessionClaims> {
  const { request, credentials } = exchange;
  const token = bearerOf(request);
  if (token === undefined) throw unauthenticated();
  checkOrigin(request, credentials.origins);
  return ofTarget(await verifySession(exchange, token), target);
}

/** The token of a request, which is not the app's business. */
export function bearerOf({ headers }: Request): string | undefined {
  const token = /^Bearer ([\w.-]+)$/i.exec(headers.get('authorization') ?? '')?.[1];
  return token ?? protocolsOf(headers).find(isBearer)?.slice(bearerProtocol.length);
}

/** The subprotocols that are the app's. */
export function appProtocols(headers: Headers): string[] {
  return protocolsOf(headers).filter((protocol) => !isBearer(protocol));
}

/** Whether a token is one of a broker's, good or not: none is for an app to see. */
export function isBrokerToken(token: string): boolean {
  try {
    return decodeProtectedHeader(token).typ?.startsWith('e2b-') === true;
  } catch {
    return false;
  }
}

function protocolsOf(headers: Headers): string[] {
  const offered = (headers.get('sec-websocket-protocol') ?? '').split(',');
  return offered.map((protocol) => protocol.trim()).filter((protocol) => protocol !== '');
}

function isBearer(protocol: string): boolean {
  return protocol.startsWith(bearerProtocol);
}

function ofTarget(claims: SessionClaims, { sandboxId, port }: PreviewTarget): SessionClaims {
  if (claims.sbx !== sandboxId) throw unauthenticated();
  if (!claims.g.ports.includes(port)) throw notGranted(`use port ${port}`);
  return claims;
}

/**
 * Refuses what another site began. A page may be led to a preview, as its frame is by the application: that shows it at
 * most, and who may show it in a frame is said in the answer.
 */
function checkInitiator(request: Request, target: PreviewTarget, origins: readonly string[]): void {
  const { headers, method } = request;
  const origin = headers.get('origin');
  const isFriendly = origin !== null && (origin === (target.origin ?? 'null') || origins.includes(origin));
  if (isFriendly) return;
  const isSocket = headers.get('upgrade') !== null;
  if (target.origin === undefined) {
    // Where the cookie is sent, its path was known.
    if (origin === null && !isSocket) return;
    throw originNotAllowed();
  }
  const site = headers.get('sec-fetch-site');
  const isSafe = method === 'GET' || method === 'HEAD';
  const isLed = isSafe && headers.get('sec-fetch-mode') === 'navigate' && isDocument(headers);
  const isOwn = site === 'same-origin' || site === 'none' || (site === null && origin === null && isSafe);
  if (isSocket || !(isOwn || isLed)) throw originNotAllowed();
}

/** Whether an answer is looked at by a person. */
export function isDocument(headers: Headers): boolean {
  return /^(document|iframe|frame)$/.test(headers.get('sec-fetch-dest') ?? '');
}
