/** A request as the app in the sandbox gets it: what was between it and the browser does not show. */

import type { EnvdEndpoint } from '../../transport/envd-endpoint.js';
import { bearerOf, isBrokerToken, type PreviewAccess } from './preview-access.js';
import { appCookies } from './preview-cookies.js';
import type { PreviewTarget } from './preview-target.js';

/** Of one connection (RFC 9110, 7.6.1), or the app's only as they are written below. */
const dropped: readonly string[] = [
  'authorization',
  'cdn-loop',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'referer',
  'te',
  'trailer',
  'transfer-encoding',
  'true-client-ip',
  'upgrade',
  'via',
  'x-client-ip',
  'x-real-ip',
];
/** What proxies on the way tell of one another and of the caller, what E2B's own goes by, and a WebSocket's own. */
const droppedKinds = /^(x-forwarded-|cf-|proxy-|e2b-|sec-websocket-)/;

/** @param trafficToken what a sandbox with private ports wants to see. */
export function previewRequestHeaders(
  request: Request,
  target: PreviewTarget,
  { by }: PreviewAccess,
  { baseUrl, headers: routing }: EnvdEndpoint,
  trafficToken: string | undefined,
): Record<string, string> {
  const { headers } = request;
  const listed = (headers.get('connection') ?? '').split(',').map((name) => name.trim().toLowerCase());
  const sent: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (!dropped.includes(name) && !droppedKinds.test(name) && !listed.includes(name)) sent[name] = value;
  }
  const cookies = appCookies(headers.get('cookie'), target);
  if (cookies !== undefined) sent.cookie = cookies;
  const authorization = headers.get('authorization');
  if (authorization !== null && by === 'cookie' && isForApp(request, target))
    sent.authorization = authorization;
  if (headers.has('origin')) sent.origin = new URL(baseUrl).origin;
  const referer = appReferer(headers.get('referer'), target, baseUrl);
  if (referer !== undefined) sent.referer = referer;
  // Whoever caused it was judged already, by addresses that the app does not know.
  const isLed = request.method === 'GET' && sent['sec-fetch-mode'] === 'navigate';
  if (sent['sec-fetch-site'] !== undefined && !isLed) sent['sec-fetch-site'] = 'same-origin';
  return {
    ...sent,
    'accept-encoding': 'identity',
    ...routing,
    ...(trafficToken !== undefined && { 'e2b-traffic-access-token': trafficToken }),
  };
}

/**
 * An app may have tokens of its own. Below the broker's path it shares an origin with others, for which a browser may
 * send a password.
 */
function isForApp(request: Request, { origin }: PreviewTarget): boolean {
  const token = bearerOf(request);
  return origin !== undefined && (token === undefined || !isBrokerToken(token));
}

function appReferer(
  referer: string | null,
  { origin, root }: PreviewTarget,
  baseUrl: string,
): string | undefined {
  if (referer === null || origin === undefined || !referer.startsWith(`${origin}${root}`)) return undefined;
  return `${new URL(baseUrl).origin}/${referer.slice(origin.length + root.length)}`;
}
