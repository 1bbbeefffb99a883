/** Lets a page's browser into a preview: a frame and a link cannot send a token, but a cookie. */

import { decodeJwt } from 'jose';
import { checkOrigin } from '../cors.js';
import type { Exchange } from '../exchange.js';
import { parseGrant } from '../grant.js';
import { httpRefusal } from '../refusals.js';
import { signToken } from '../session-token.js';
import type { Settings } from '../settings.js';
import { bearerAccess, bearerOf } from './preview-access.js';
import { ownCookie } from './preview-cookies.js';
import { type PreviewTarget, pathRoot } from './preview-target.js';

/**
 * `POST {root}.well-known/e2b-preview`, with a session's token: gives the cookie, and where the preview is. The cookie
 * ends with that token, so a page comes again with its next one: what `authorize` then grants holds here too.
 */
export async function enterPreview<Env>(exchange: Exchange<Env>, target: PreviewTarget): Promise<Response> {
  const { request, credentials, settings } = exchange;
  const origin = checkOrigin(request, credentials.origins);
  if (request.method === 'OPTIONS') return withCors(new Response(null, { status: 204 }), origin);
  if (request.method !== 'POST') throw httpRefusal(405, 'method_not_allowed', 'This route takes POST.');
  const { inv: _inv, ews: _ews, own: _own, ...claims } = await bearerAccess(exchange, target);
  const { exp = 0 } = decodeJwt(bearerOf(request) as string);
  const { token, expiresAt, ttlMs } = await signToken(
    { ...claims, g: parseGrant({ ports: [target.port] }) },
    credentials.tokens,
    { type: 'e2b-preview+jwt', notAfter: exp * 1000 },
  );
  const { origin: ownOrigin, sandboxId, port } = target;
  const root =
    ownOrigin === undefined ? pathRoot(settings.publicPath, sandboxId, port, claims.sid) : target.root;
  const url = `${ownOrigin ?? publicOrigin(settings)}${root}`;
  const response = new Response(JSON.stringify({ url, expiresAt, ttlMs }), {
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'set-cookie': ownCookie({ ...target, root }, token, Math.floor(ttlMs / 1000)),
    },
  });
  return withCors(response, origin);
}

/** As in a session's addresses: a path, unless the application says where the broker is. */
function publicOrigin({ publicBase }: Settings): string {
  return URL.canParse(publicBase) ? new URL(publicBase).origin : '';
}

/** The answer sets a cookie, which takes `credentials`; the page reads where the preview is. */
function withCors(response: Response, origin: string | undefined): Response {
  const { headers } = response;
  headers.append('vary', 'Origin');
  if (origin === undefined) return response;
  headers.set('access-control-allow-origin', origin);
  headers.set('access-control-allow-credentials', 'true');
  headers.set('access-control-allow-headers', 'authorization, content-type');
  headers.set('access-control-allow-methods', 'POST');
  headers.set('access-control-max-age', '7200');
  return response;
}
