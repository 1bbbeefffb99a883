/** A preview as a page's browser has it. */

import type { Session } from 'e2b-edge/broker';
import { bearer, everything } from './broker-client.js';
import type { BrokerStage } from './broker-stage.js';
import type { ConfigurationName } from './host/configurations.js';
import { pageOrigin } from './host/setup.js';
import { startPreviewApp } from './preview-app.js';
import { askPreview, type PreviewAnswer } from './preview-request.js';

export const grants = { ...everything, ports: [3000, 3001] };
/** What a browser says of a request of the preview's own page. */
export const own = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };
export const led = {
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'iframe',
};

export interface OpenPreview {
  session: Session;
  url: string;
  cookie: string;
  ask(
    path: string,
    headers?: Record<string, string>,
    init?: Parameters<typeof askPreview>[3],
  ): Promise<PreviewAnswer>;
}

/** Asks to be let in, as the page does. */
export async function enter(
  stage: BrokerStage,
  session: Session,
  port = 3000,
  headers: Record<string, string> = { ...bearer(session), origin: pageOrigin },
): Promise<PreviewAnswer> {
  const root = decodeURI(session.urls.preview ?? '').replace('{port}', String(port));
  return askPreview(stage.host.url, `${root}.well-known/e2b-preview`, headers, { method: 'POST' });
}

/** Starts the app in a sandbox of a new session, and enters. */
export async function openPreview(stage: BrokerStage, name: ConfigurationName): Promise<OpenPreview> {
  const broker = stage.at(name);
  const session = await broker.session({ grants });
  await startPreviewApp(await broker.connect(session));
  const entered = await enter(stage, session);
  if (entered.status !== 200) throw new Error(`not let in: ${entered.status} ${entered.text}`);
  const cookie = entered.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const { url: given } = JSON.parse(entered.text) as { url: string };
  const url = new URL(given, broker.url).href;
  return {
    session,
    url,
    cookie,
    ask: (path, more = own, init = {}) =>
      askPreview(stage.host.url, url.replace(/\/$/, path), { cookie, ...more }, init),
  };
}

export const places = [
  ["below the broker's path", 'stored'],
  ['at an origin of its own', 'previews'],
] as const;
