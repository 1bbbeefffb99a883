/** What of the ports of a sandbox may be reached, and as what an app there gets it. */

import type { Arrived } from '../support/arrived.js';
import { strayMarker } from '../support/markers.js';
import { secretIn, trafficToken } from '../support/secrets.js';
import { isEnded, type LawfulSession } from '../support/session.js';
import { addresses, envdPort, portOf, sandboxOf, type World } from '../support/world.js';
import type { Asked } from './judge-arrival.js';

/** The preview that an address names. */
export interface PreviewPlace {
  sandboxId: string;
  port: number;
  /** What is asked of the app. */
  rest: string;
  /** Its own origin; absent below the broker's path. */
  origin?: string;
  /** In the address, below the broker's path. */
  sessionId?: string;
}

/** What a browser was given when it was let in. */
export interface Entry {
  who: LawfulSession;
  port: number;
}

export const pageOrigin = 'https://app.example';
const previewHost = /^(\d+)-([a-z0-9]+)\.preview\.example$/;
/** Where the broker asks for itself, to tell an app's answer from that of E2B's proxy. */
const probePath = '/.well-known/e2b-preview';

export function previewPlace(url: URL, hasOrigins: boolean): PreviewPlace | undefined {
  const [, number, sandboxId] = (hasOrigins && previewHost.exec(url.host)) || [];
  if (sandboxId !== undefined && isPort(number))
    return { sandboxId, port: Number(number), rest: url.pathname + url.search, origin: url.origin };
  const [, id, port, sessionId, rest = ''] =
    /^\/api\/sandbox\/ports\/([a-z0-9]+)\/(\d+)(?:\/~([^/]+))?(\/.*)$/.exec(url.pathname) ?? [];
  if (id === undefined || !isPort(port)) return undefined;
  return { sandboxId: id, port: Number(port), rest: rest + url.search, ...(sessionId && { sessionId }) };
}

/** envd's own is none of the app's. */
function isPort(text = ''): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535 && Number(text) !== envdPort;
}

export function judgePreview(world: World, arrived: Arrived, asked: Asked): void {
  const { place, who, entry } = asked;
  if (!place) throw new Error('nobody asked for a port');
  const port = portOf(arrived);
  if (port !== place.port || sandboxOf(arrived) !== place.sandboxId) throw new Error('another port');
  const byToken = who && mayReach(who, place);
  const byCookie =
    entry &&
    entry.port === port &&
    mayReach(entry.who, place) &&
    isOwnPath(place, entry) &&
    mayCome(asked, place);
  if (!byToken && !byCookie) throw new Error('nobody may');
  const isProbe = arrived.method === 'GET' && arrived.url.pathname === probePath;
  if (!isProbe && place.rest !== arrived.url.pathname + arrived.url.search)
    throw new Error(`${place.rest} was asked for`);
  if (!isProbe && arrived.method !== asked.method) throw new Error('another method');
  if (arrived.redirect !== 'manual') throw new Error('a redirect would be followed');
  judgeHead(world, arrived, place, entry !== undefined && byCookie === true);
}

function mayReach(who: LawfulSession, { sandboxId, port }: PreviewPlace): boolean {
  return !isEnded(who) && who.sandboxId === sandboxId && who.grant.ports?.includes(port) === true;
}

/** Below the broker's path nothing but the address tells a preview's own requests from another site's. */
function isOwnPath({ origin, sessionId }: PreviewPlace, { who }: Entry): boolean {
  return origin !== undefined || sessionId === who.sessionId;
}

/** Whether a browser's request may come with a cookie: one that the app, the application or the person began. */
function mayCome({ headers, method }: Asked, { origin: own }: PreviewPlace): boolean {
  const origin = headers.get('origin');
  if (origin === (own ?? 'null') || origin === pageOrigin) return true;
  if (headers.has('upgrade')) return false;
  if (own === undefined) return origin === null;
  const isRead = method === 'GET' || method === 'HEAD';
  const isShown =
    headers.get('sec-fetch-mode') === 'navigate' &&
    ['document', 'iframe', 'frame'].includes(headers.get('sec-fetch-dest') ?? '');
  switch (headers.get('sec-fetch-site')) {
    case 'same-origin':
    case 'none':
      return true;
    case null:
      return isRead && origin === null;
    default:
      return isRead && isShown;
  }
}

/** Of the way, or of others: an app is to see none of it. */
const foreign = /^(x-forwarded-.*|forwarded|via|x-real-ip|proxy-.*|te)$/;

function judgeHead(world: World, { url, headers }: Arrived, place: PreviewPlace, byCookie: boolean): void {
  const known = new Map(headers);
  const traffic = known.get('e2b-traffic-access-token');
  if (traffic !== undefined && traffic !== trafficToken) throw new Error("not the sandbox's traffic token");
  known.delete('e2b-traffic-access-token');
  for (const [name, value] of known) {
    if (secretIn(value)) throw new Error(`a secret is in the header ${name}`);
    if (holdsToken(value)) throw new Error(`a broker's token is in the header ${name}`);
    // It was said to be of the connection.
    const isConnections = name === 'x-stray' && value === strayMarker;
    if (foreign.test(name) || isConnections) throw new Error(`the header ${name}`);
    if (name.startsWith('e2b-') && !['e2b-sandbox-id', 'e2b-sandbox-port'].includes(name))
      throw new Error(`the header ${name}`);
  }
  const isRouted =
    known.get('e2b-sandbox-id') === place.sandboxId && known.get('e2b-sandbox-port') === String(place.port);
  if (!isRouted && (world.place === 'address' || known.has('e2b-sandbox-id')))
    throw new Error('routed elsewhere');
  for (const name of ['origin', 'referer']) {
    const value = known.get(name);
    if (value !== undefined && new URL(value).origin !== url.origin) throw new Error(`${name} ${value}`);
  }
  const hasOrigin = place.origin !== undefined;
  if (known.has('authorization') && !(hasOrigin && byCookie)) throw new Error('a password of the page');
  const cookies = known.get('cookie') ?? '';
  if (/__(host|secure)-e2b-preview/i.test(cookies)) throw new Error("the broker's cookie");
  if (!hasOrigin && (cookies.includes('application=') || cookies.includes(strayMarker)))
    throw new Error("the application's cookie");
  if (url.origin !== addresses.envd && world.place === 'address') throw new Error('another host');
}

/** Whether a JWT of the broker's, of whatever type, is in a text. */
function holdsToken(text: string): boolean {
  return [...text.matchAll(/[\w-]{8,}(?=\.[\w-]+\.[\w-]+)/g)].some(([head]) =>
    Buffer.from(head, 'base64url').toString('latin1').includes('"e2b-'),
  );
}
