/** A preview as a page's browser has it, before the fake service. */

import type { IncomingHttpHeaders } from 'node:http';
import type { BrokerOptions } from '../../../../src/broker/broker-options.js';
import type { Session } from '../../../../src/wire/session.js';
import type { Seen } from './fake-e2b.js';
import { bearer, type Harness, origin, startHarness } from './harness.js';

/** What a browser says of a request of the preview's own page. */
export const own = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };
/** What it says of a frame that the application's page shows. */
export const led = {
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'iframe',
};

/** Both kinds of places, with the options that make them. */
export const places: [string, Partial<BrokerOptions<undefined>>][] = [
  ["below the broker's path", {}],
  ['at an origin of its own', { previews: { origin: 'https://{port}-{sandboxId}.preview.example' } }],
];

export interface Preview {
  harness: Harness;
  isBelowPath: boolean;
  session: Session;
  /** Where the app's `/` is for the browser. */
  url: string;
  /** What lets the browser in. */
  cookie: string;
  /** The preview's origin, as the browser names it. */
  ownOrigin: string;
  /** Asks for what is at a path of the app, with the cookie. */
  ask(path: string, headers?: Record<string, string>, init?: RequestInit): Promise<Response>;
  /** What the app was last asked. */
  seen(): Seen;
  /** The headers that it was last asked with, but for those of the connection. */
  sent(): Record<string, string>;
  /** What the app answers from now on. */
  answer(status: number, headers: Record<string, string | string[] | number>, body?: string): void;
  /** The headers of such an answer, as the browser gets them. */
  answered(
    given: Record<string, string | string[] | number>,
    headers?: Record<string, string>,
    init?: RequestInit,
  ): Promise<IncomingHttpHeaders>;
}

/** Asks to be let in, as the page does. */
export function enter(
  harness: Harness,
  session: Session,
  headers: Record<string, string> = { ...bearer(session), origin },
  port = 3000,
): Promise<Response> {
  const root = (session.urls.preview ?? '').replace('{port}', String(port));
  return harness.send(`${absolute(root)}.well-known/e2b-preview`, { method: 'POST', headers });
}

/** A fresh broker, with a session that was let in at port 3000. */
export async function openPreview(options: Partial<BrokerOptions<undefined>> = {}): Promise<Preview> {
  let sent: Record<string, string> = {};
  const harness = await startHarness({
    fetch(url, init) {
      const headers = new Headers(init?.headers);
      if (headers.get('e2b-sandbox-port') === '3000') sent = Object.fromEntries(headers);
      return fetch(url, init);
    },
    ...options,
  });
  const session = await harness.session({ ports: [3000, 3001] });
  const entered = await enter(harness, session);
  const { url: given } = (await entered.json()) as { url: string };
  const url = absolute(given);
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
  const isBelowPath = options.previews === undefined;
  const preview: Preview = {
    harness,
    isBelowPath,
    session,
    url,
    cookie,
    ownOrigin: isBelowPath ? 'null' : new URL(url).origin,
    ask: (path, headers = own, init = {}) =>
      harness.send(url + path.slice(1), { ...init, headers: { cookie, ...headers } }),
    seen: () => harness.fake.envd.at(-1) as Seen,
    sent: () => sent,
    answer(status, headers, body = '') {
      harness.fake.onEnvd = (_seen, response) => {
        response.writeHead(status, headers).end(body);
        return true;
      };
    },
    async answered(given, headers, init) {
      preview.answer(200, given);
      const response = await preview.ask('/', headers, init);
      return { ...Object.fromEntries(response.headers), 'set-cookie': response.headers.getSetCookie() };
    },
  };
  return preview;
}

/** Paths are those of the application's own site. */
function absolute(url: string): string {
  return url.startsWith('/') ? `https://any.test${url}` : url;
}
