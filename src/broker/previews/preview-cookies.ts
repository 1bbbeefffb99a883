/** The cookies of a preview: ours, which lets a browser in, and the app's, which stay what they are to it. */

import type { PreviewTarget } from './preview-target.js';

/**
 * The prefix keeps others from setting it: another preview for their common domain, or a page without TLS.
 */
const ownAtOrigin = '__Host-e2b-preview';
const ownBelowPath = '__Secure-e2b-preview';
/**
 * Below the broker's path the browser sends the application's cookies along, which no sandbox may see. Those of the app
 * get a name that tells them.
 */
const appPrefix = 'e2b-preview.';

/** The cookie that lets a browser into a preview for so many seconds. */
export function ownCookie({ origin, root }: PreviewTarget, token: string, maxAgeSeconds: number): string {
  const name = origin === undefined ? ownBelowPath : ownAtOrigin;
  return `${name}=${token}; Path=${root}; Max-Age=${maxAgeSeconds}; HttpOnly; ${foreignFrame(origin)}`;
}

/** The token of a request, if it has one. */
export function tokenOfCookie(cookies: string | null, { origin }: PreviewTarget): string | undefined {
  const name = `${origin === undefined ? ownBelowPath : ownAtOrigin}=`;
  return pairs(cookies)
    .find((pair) => pair.startsWith(name))
    ?.slice(name.length);
}

/** The cookies of a request that are the app's, as it named them. */
export function appCookies(cookies: string | null, { origin }: PreviewTarget): string | undefined {
  const own =
    origin === undefined
      ? pairs(cookies)
          .filter((pair) => pair.startsWith(appPrefix))
          .map((pair) => pair.slice(appPrefix.length))
      : pairs(cookies).filter((pair) => !pair.startsWith(`${ownAtOrigin}=`));
  return own.length === 0 ? undefined : own.join('; ');
}

/**
 * A cookie that the app sets, as the browser may take it: for this preview alone, and so that it is sent in a frame of
 * another site. What the app said of other sites (`SameSite`) is decided by the broker before a request reaches it.
 * Undefined for what is no cookie, or is named as ours.
 */
export function browserCookie(setCookie: string, { origin, root }: PreviewTarget): string | undefined {
  const [pair = '', ...attributes] = setCookie.split(';').map((part) => part.trim());
  if (!/^[^=\s]+=/.test(pair) || pair.toLowerCase().startsWith(`${ownAtOrigin.toLowerCase()}=`)) {
    return undefined;
  }
  const kept = attributes.filter(
    (attribute) => !/^(domain|samesite|secure|partitioned|path)\b/i.test(attribute),
  );
  const path = attributes.find((attribute) => /^path=\//i.test(attribute))?.slice('path=/'.length);
  return [
    (origin === undefined ? appPrefix : '') + pair,
    ...kept,
    ...(path === undefined ? [] : [`Path=${root}${path}`]),
    foreignFrame(origin),
  ].join('; ');
}

/**
 * A frame below the broker's path has no site, so a cookie of a partition (of one site inside another) would not be
 * sent by it. An origin of its own has one.
 */
function foreignFrame(origin: string | undefined): string {
  return `Secure; SameSite=None${origin === undefined ? '' : '; Partitioned'}`;
}

function pairs(cookies: string | null): string[] {
  return (cookies ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '');
}
