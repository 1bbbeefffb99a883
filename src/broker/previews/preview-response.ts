/** What an app answers, as the browser may take it. It is not trusted: it must not act for the broker's origin. */

import type { PreviewAccess } from './preview-access.js';
import { browserCookie } from './preview-cookies.js';
import type { PreviewTarget } from './preview-target.js';

/** Of one connection, or for more than the preview: a host, a whole origin, what lies between it and the browser. */
const dropped: readonly string[] = [
  'accept-ch',
  'activate-storage-access',
  'alt-svc',
  'cdn-cache-control',
  'clear-site-data',
  'cloudflare-cdn-cache-control',
  'connection',
  'critical-ch',
  'e2b-traffic-access-token',
  'expect-ct',
  'keep-alive',
  'nel',
  'origin-agent-cluster',
  'proxy-authenticate',
  'proxy-connection',
  'public-key-pins',
  'report-to',
  'reporting-endpoints',
  'set-cookie',
  'set-login',
  'strict-transport-security',
  'surrogate-control',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'use-as-dictionary',
  'x-frame-options',
];
/** Below the broker's path they would hold for others, or keep a page that has no origin from its own files. */
const droppedBelowPath: readonly string[] = [
  'cross-origin-resource-policy',
  'service-worker-allowed',
  'www-authenticate',
];
/** What a page may do that has no origin. Without `allow-same-origin` nothing of the broker's origin is in its reach. */
const sandbox =
  'sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads allow-same-site-none-cookies';

export interface PreviewAnswer {
  request: Request;
  target: PreviewTarget;
  access: PreviewAccess;
  /** The address that was asked, of the app. */
  url: string;
  origins: readonly string[];
}

export function previewResponseHeaders({ headers }: Response, answer: PreviewAnswer): Headers {
  const { request, target, access, url, origins } = answer;
  const isBelowPath = target.origin === undefined;
  const given = new Headers(policyHeaders(target, origins));
  for (const [name, value] of headers) {
    if (dropped.includes(name) || (isBelowPath && droppedBelowPath.includes(name))) continue;
    // What is read with a session's token is read by the pages that the broker allows.
    if (access.by === 'bearer' && name.startsWith('access-control-')) continue;
    if (name === 'content-security-policy') given.append(name, withoutFrameAncestors(value));
    else if (name === 'location') given.set(name, browserLocation(value, url, target));
    else given.append(name, value);
  }
  // The runtime has unpacked it.
  if (headers.has('content-encoding')) {
    given.delete('content-encoding');
    given.delete('content-length');
  }
  given.set('cache-control', privateCaching(headers.get('cache-control')));
  if (isBelowPath && request.headers.get('origin') === 'null') {
    // To a page without an origin its own app is another's. Nobody else knows the path: see pathRoot.
    given.set('access-control-allow-origin', 'null');
    given.set('access-control-allow-credentials', 'true');
  }
  for (const cookie of access.by === 'cookie' ? headers.getSetCookie() : []) {
    const kept = browserCookie(cookie, target);
    if (kept !== undefined) given.append('set-cookie', kept);
  }
  return given;
}

/**
 * What the broker says of every page of a preview, in a policy of its own: of several all hold, so the app can add to it
 * and take nothing away.
 */
export function policyHeaders({ origin }: PreviewTarget, origins: readonly string[]): Record<string, string> {
  const ancestors = `frame-ancestors 'self' ${origins.join(' ')}`;
  return { 'content-security-policy': origin === undefined ? `${sandbox}; ${ancestors}` : ancestors };
}

/** Where a preview may be shown is the application's choice, and no app that is being made knows where that is. */
function withoutFrameAncestors(policies: string): string {
  return policies
    .split(',')
    .map((policy) =>
      policy
        .split(';')
        .filter((directive) => !/^\s*frame-ancestors\b/i.test(directive))
        .join(';'),
    )
    .filter((policy) => policy.trim() !== '')
    .join(',');
}

/** Caches between the broker and the browser would give it to whoever asks. */
function privateCaching(cacheControl: string | null): string {
  const kept = (cacheControl ?? '')
    .split(',')
    .map((directive) => directive.trim())
    .filter(
      (directive) => directive !== '' && !/^(public|private|s-maxage|proxy-revalidate)\b/i.test(directive),
    );
  return ['private', ...kept].join(', ');
}

/** A redirect to the app's own address, by whatever name it knows itself, is one to the preview. */
function browserLocation(location: string, url: string, { port, origin = '', root }: PreviewTarget): string {
  if (!URL.canParse(location, url)) return location;
  const { protocol, host, pathname, search, hash } = new URL(location, url);
  const isAbsolute = /^([a-z][a-z0-9+.-]*:|[/\\])/i.test(location);
  if (!isAbsolute || !['http:', 'https:'].includes(protocol)) return location;
  const local = ['localhost', '127.0.0.1', '0.0.0.0', '[::1]'];
  // As addresses, because a port that goes without saying is not in the host.
  const own = [new URL(url).host, ...local.map((name) => new URL(`${protocol}//${name}:${port}`).host)];
  if (!own.includes(host)) return location;
  return origin + root + pathname.slice(1) + search + hash;
}
