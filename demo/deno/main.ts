/**
 * The demo's page and broker on Deno, with its terminals, and what has to be remembered in Deno KV:
 * `deno run --unstable-kv --allow-net --allow-env --allow-read demo/deno/main.ts`.
 */

import { createBroker, createDenoKvStore, type DenoKvLike } from 'e2b-edge/broker/deno';
import { demoGrants } from '../grants.mjs';
import { pageFiles } from '../page-files.mjs';
import { pageHeaders } from '../page-headers.mjs';
import { originsOf, readSettings } from '../settings.ts';
import { askToSignIn, userOf } from '../sign-in.ts';

/** The part of Deno's own interface that is used here. */
declare const Deno: {
  env: { get(name: string): string | undefined };
  openKv(path: string | undefined): Promise<DenoKvLike>;
  readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
  serve(
    options: { hostname: string; port: number; onListen(address: { port: number }): void },
    handler: (request: Request) => Response | Promise<Response>,
  ): { addr: { port: number } };
};

const settings = readSettings((name) => Deno.env.get(name));
const brokerPath = '/api/sandbox';

const broker = createBroker({
  apiKey: settings.E2B_API_KEY,
  apiUrl: settings.E2B_API_URL,
  sandboxUrl: settings.E2B_SANDBOX_URL,
  signingKeys: { current: settings.SESSION_KEY },
  store: createDenoKvStore(await Deno.openKv(settings.KV_PATH)),
  origins: () => originsOf(settings, server.addr.port),
  basePath: brokerPath,
  // Your application finds out here who asks, and whether they still may: it is asked again every few minutes.
  authorize: async (request, intent) => {
    const subject = intent.action === 'refresh' ? intent.subject : await userOf(request, settings);
    return subject === undefined ? null : { subject, sandbox: { template: 'base' }, grants: demoGrants };
  },
});

const server = Deno.serve(
  {
    hostname: '127.0.0.1',
    port: settings.PORT,
    onListen: ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`),
  },
  async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith(`${brokerPath}/`)) return broker(request);
    if ((await userOf(request, settings)) === undefined) return askToSignIn();
    const file = pageFiles[pathname];
    if (!file) return new Response('There is no such page.\n', { status: 404 });
    const [name, type] = file;
    const body = await Deno.readFile(new URL(name, settings.PAGE_FOLDER));
    return new Response(body, { headers: { ...pageHeaders, 'content-type': type } });
  },
);
