/** The demo's page and broker as a Cloudflare Worker: terminals and revocations in Durable Objects. */

import {
  createBroker,
  createDurableObjectStore,
  type DurableObjectNamespaceLike,
  PtyHub,
  SessionStoreObject,
} from 'e2b-edge/broker/cloudflare';
import { demoGrants } from '../grants.mjs';
import { pageHeaders } from '../page-headers.mjs';
import { askToSignIn, type SignIn, userOf } from '../sign-in.ts';

interface Env extends SignIn {
  /** Secrets. The session key is at least 32 random bytes: `openssl rand -base64 32`. */
  E2B_API_KEY: string;
  SESSION_KEY: string;
  /** Where the page is served, as `https://sandbox.example`; several with commas. */
  ORIGINS: string;
  /** For a cluster of your own or a local sandbox server. */
  E2B_API_URL?: string;
  E2B_SANDBOX_URL?: string;
  SESSION_STORE: DurableObjectNamespaceLike;
  ASSETS: { fetch(request: Request): Promise<Response> };
}

const brokerPath = '/api/sandbox';

const broker = createBroker<Env>({
  apiKey: (env) => env.E2B_API_KEY,
  apiUrl: (env) => env.E2B_API_URL,
  sandboxUrl: (env) => env.E2B_SANDBOX_URL,
  signingKeys: (env) => ({ current: env.SESSION_KEY }),
  store: (env) => createDurableObjectStore(env.SESSION_STORE),
  origins: (env) => env.ORIGINS.split(','),
  basePath: brokerPath,
  // Your application finds out here who asks, and whether they still may: it is asked again every few minutes.
  authorize: async (request, intent, { env }) => {
    const subject = intent.action === 'refresh' ? intent.subject : await userOf(request, env ?? {});
    return subject === undefined ? null : { subject, sandbox: { template: 'base' }, grants: demoGrants };
  },
});

export { PtyHub, SessionStoreObject };

export default {
  async fetch(request: Request, env: Env, ctx: { waitUntil(promise: Promise<unknown>): void }) {
    if (new URL(request.url).pathname.startsWith(`${brokerPath}/`)) return broker(request, { env, ctx });
    if ((await userOf(request, env)) === undefined) return askToSignIn();
    const file = await env.ASSETS.fetch(request);
    const headers = new Headers(file.headers);
    for (const [name, value] of Object.entries(pageHeaders)) headers.set(name, value);
    return new Response(file.body, { status: file.status, headers });
  },
};
