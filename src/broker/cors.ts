/** Which pages may call, and what they may read of the answers. */

import { originNotAllowed } from './refusals.js';
import { routesAt } from './routes.js';

/** What a page may send to a sandbox; all else would be dropped on the way. */
const sandboxHeaders = [
  'authorization',
  'content-type',
  'connect-protocol-version',
  'connect-timeout-ms',
  'idempotency-key',
  'keepalive-ping-interval',
  'range',
  'if-range',
  'if-none-match',
  'if-modified-since',
  'traceparent',
  'tracestate',
];
const exposedHeaders = [
  'accept-ranges',
  'content-disposition',
  'content-length',
  'content-range',
  'etag',
  'last-modified',
  'retry-after',
  'x-request-id',
];
const preflightMaxAgeSeconds = 7200;

/** The page's origin, if it may be answered; undefined for requests that have none. */
export function checkOrigin(request: Request, origins: readonly string[]): string | undefined {
  const origin = request.headers.get('origin');
  if (origin === null) return undefined;
  if (!origins.includes(origin)) throw originNotAllowed();
  return origin;
}

/** The answer to a preflight, which comes before any token. */
export function preflight(request: Request, pathname: string, basePath: string): Response {
  const asked = (request.headers.get('access-control-request-headers') ?? '').toLowerCase().split(',');
  // What the application's `authorize` goes by may be in any header.
  const isAllowed = isSessionPath(pathname, basePath) ? isHeaderName : isSandboxHeader;
  const granted = asked.map((name) => name.trim()).filter(isAllowed);
  const headers = new Headers({
    'access-control-allow-methods': Object.keys(routesAt(pathname, basePath)).join(', '),
    'access-control-max-age': String(preflightMaxAgeSeconds),
  });
  if (granted.length > 0) headers.set('access-control-allow-headers', granted.join(', '));
  return new Response(null, { status: 204, headers });
}

/**
 * Lets the page read the answer. Only the session routes take cookies: they are judged by `authorize`, which may go by
 * them; behind them there is the token alone.
 */
export function allowOrigin(headers: Headers, origin: string | undefined, withCookies: boolean): void {
  headers.append('vary', 'Origin');
  if (origin === undefined) return;
  headers.set('access-control-allow-origin', origin);
  headers.set('access-control-expose-headers', exposedHeaders.join(', '));
  if (withCookies) headers.set('access-control-allow-credentials', 'true');
}

/** Whether a path is of the sessions, which `authorize` judges. */
export function isSessionPath(pathname: string, basePath: string): boolean {
  return pathname === `${basePath}/sessions` || pathname.startsWith(`${basePath}/sessions/`);
}

function isSandboxHeader(name: string): boolean {
  return sandboxHeaders.includes(name) || /^x-metadata-[a-z0-9_-]+$/.test(name);
}

function isHeaderName(name: string): boolean {
  return /^[a-z0-9_-]+$/.test(name);
}
