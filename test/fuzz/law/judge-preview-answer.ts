/** What a browser may get of an app that is hostile to the page it is shown in. */

import { secretIn } from '../support/secrets.js';
import type { Answer } from './judge-answer.js';
import type { Asked } from './judge-arrival.js';
import type { PreviewPlace } from './judge-preview.js';

/** They hold for a whole host or origin, or for what is between it and the browser. */
const beyond = [
  'alt-svc',
  'clear-site-data',
  'e2b-traffic-access-token',
  'nel',
  'report-to',
  'strict-transport-security',
  'x-frame-options',
];

export function judgePreviewAnswer(answer: Answer, asked: Asked, place: PreviewPlace): string | undefined {
  try {
    judge(answer, asked, place);
    return undefined;
  } catch (error) {
    return `preview: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function judge({ status, headers, body }: Answer, asked: Asked, place: PreviewPlace): void {
  const isBelowPath = place.origin === undefined;
  const secret = secretIn([...headers].flat().join('\n') + body);
  if (secret) throw new Error(`a secret is in the answer: ${secret}`);
  const wide = beyond.find((name) => headers.has(name));
  if (wide) throw new Error(`the header ${wide}`);
  if (isBelowPath && headers.has('service-worker-allowed')) throw new Error('a service worker');
  if (!/^(private|no-store)/.test(headers.get('cache-control') ?? 'none') && status !== 204)
    throw new Error('it may be kept by others');
  if (/e2b\.app|sandboxes\.internal|localhost|127\.0\.0\.1/.test(headers.get('location') ?? ''))
    throw new Error(`led to ${headers.get('location')}`);
  const isEntry = place.rest === '/.well-known/e2b-preview';
  // The broker's own words are no page.
  const isWords = status >= 400 && headers.get('x-content-type-options') === 'nosniff';
  if (!isEntry && !isWords && status !== 204)
    judgePolicy(headers.get('content-security-policy') ?? '', isBelowPath);
  for (const cookie of headers.getSetCookie()) judgeCookie(cookie, place, isEntry, asked);
  const allowed = headers.get('access-control-allow-origin');
  const origins = ['https://app.example', ...(isBelowPath ? ['null'] : [])];
  const isCredentialed = headers.get('access-control-allow-credentials') === 'true';
  if (isCredentialed && !origins.includes(allowed ?? '')) throw new Error(`read by ${allowed}`);
  if (!isEntry && /"code":"(internal|broker_misconfigured)"/.test(body)) throw new Error(body);
}

/** Of several policies each holds, so one that confines is enough. */
function judgePolicy(policies: string, isBelowPath: boolean): void {
  const all = policies.split(',').map((policy) => policy.split(';').map((part) => part.trim().split(/\s+/)));
  const framed = all.some((policy) =>
    policy.some(([name, ...sources]) => name === 'frame-ancestors' && sources.every(mayFrame)),
  );
  if (!framed) throw new Error(`framed by anybody: ${policies}`);
  const confined = all.some((policy) =>
    policy.some(([name, ...allowed]) => name === 'sandbox' && !allowed.includes('allow-same-origin')),
  );
  if (isBelowPath && !confined) throw new Error(`a page of the broker's own origin: ${policies}`);
}

function mayFrame(source: string): boolean {
  return source === "'self'" || source === 'https://app.example';
}

function judgeCookie(cookie: string, place: PreviewPlace, isEntry: boolean, { who, entry }: Asked): void {
  const [pair = '', ...attributes] = cookie.split(';').map((part) => part.trim());
  const name = pair.slice(0, pair.indexOf('='));
  const isOwn = name.toLowerCase() === `__${place.origin === undefined ? 'secure' : 'host'}-e2b-preview`;
  const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5);
  if (attributes.some((attribute) => /^domain/i.test(attribute)))
    throw new Error(`a cookie of a domain: ${cookie}`);
  if (!attributes.some((attribute) => /^secure$/i.test(attribute))) throw new Error(`not secure: ${cookie}`);
  if (isOwn !== isEntry) throw new Error(`a cookie of the broker's: ${cookie}`);
  if (isEntry) {
    if (!who) throw new Error('let in without a token');
    if (!attributes.includes('HttpOnly')) throw new Error('a script can read it');
    if (
      place.origin === undefined &&
      path !== `/api/sandbox/ports/${place.sandboxId}/${place.port}/~${who.sessionId}/`
    )
      throw new Error(`sent to ${path}`);
    return;
  }
  if (!entry) throw new Error('a cookie for who has none');
  if (place.origin !== undefined) return;
  if (!name.startsWith('e2b-preview.')) throw new Error(`a cookie of the application: ${cookie}`);
  if (path !== undefined && !path.startsWith(`/api/sandbox/ports/${place.sandboxId}/${place.port}/`))
    throw new Error(`a cookie for ${path}`);
}
