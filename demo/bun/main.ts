/** The demo's page and broker on Bun, with its terminals: `bun demo/bun/main.ts`. */

import {
  type BunServerLike,
  type BunWebSocketHandler,
  createBroker,
  createMemoryStore,
} from 'e2b-edge/broker/bun';
import { demoGrants } from '../grants.mjs';
import { pageFiles } from '../page-files.mjs';
import { pageHeaders } from '../page-headers.mjs';
import { originsOf, readSettings } from '../settings.ts';
import { askToSignIn, userOf } from '../sign-in.ts';

/** The part of Bun's own interface that is used here. */
declare const Bun: {
  env: Record<string, string | undefined>;
  file(path: URL): Blob;
  serve(options: {
    hostname: string;
    port: number;
    websocket: BunWebSocketHandler;
    fetch(request: Request, server: BunServerLike): Response | Promise<Response>;
  }): { port: number };
};

const settings = readSettings((name) => Bun.env[name]);
const brokerPath = '/api/sandbox';

const broker = createBroker({
  apiKey: settings.E2B_API_KEY,
  apiUrl: settings.E2B_API_URL,
  sandboxUrl: settings.E2B_SANDBOX_URL,
  signingKeys: { current: settings.SESSION_KEY },
  // Right for one server. Several need one that they share.
  store: createMemoryStore(),
  origins: () => originsOf(settings, server.port),
  basePath: brokerPath,
  // Your application finds out here who asks, and whether they still may: it is asked again every few minutes.
  authorize: async (request, intent) => {
    const subject = intent.action === 'refresh' ? intent.subject : await userOf(request, settings);
    return subject === undefined ? null : { subject, sandbox: { template: 'base' }, grants: demoGrants };
  },
});

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: settings.PORT,
  websocket: broker.websocket,
  async fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith(`${brokerPath}/`)) return broker.fetch(request, server);
    if ((await userOf(request, settings)) === undefined) return askToSignIn();
    const file = pageFiles[pathname];
    if (!file) return new Response('There is no such page.\n', { status: 404 });
    const [name, type] = file;
    const body = Bun.file(new URL(name, settings.PAGE_FOLDER));
    return new Response(body, { headers: { ...pageHeaders, 'content-type': type } });
  },
});
console.log(`Listening on http://127.0.0.1:${server.port}`);
