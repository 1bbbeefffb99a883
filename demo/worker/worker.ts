/** The demo's broker as a Cloudflare Worker: the same page, the same grants, terminals in a Durable Object. */

import { createBroker, PtyHub } from 'e2b-edge/broker/cloudflare';
import { demoGrants } from '../grants.mjs';
import { pageHeaders } from '../page-headers.mjs';

interface Env {
  E2B_API_KEY: string;
  /** At least 32 random bytes: `openssl rand -base64 32`. */
  SESSION_KEY: string;
  /** Where the page is served, as `https://sandbox.example`; several with commas. */
  ORIGINS: string;
  /** For a cluster of your own or a local sandbox server. */
  E2B_API_URL?: string;
  E2B_SANDBOX_URL?: string;
  /** `yes` lets whoever finds the page start sandboxes at your cost. */
  OPEN_TO_ANYONE?: string;
  ASSETS: { fetch(request: Request): Promise<Response> };
}

const brokerPath = '/api/sandbox';

const broker = createBroker<Env>({
  apiKey: (env) => env.E2B_API_KEY,
  apiUrl: (env) => env.E2B_API_URL,
  sandboxUrl: (env) => env.E2B_SANDBOX_URL,
  signingKeys: (env) => ({ current: env.SESSION_KEY }),
  origins: (env) => env.ORIGINS.split(','),
  basePath: brokerPath,
  // Your application finds out here who asks. This demo does not, so on the internet it lets nobody in.
  authorize: (_request, _intent, { env }) =>
    env?.OPEN_TO_ANYONE === 'yes'
      ? { subject: 'demo', sandbox: { template: 'base' }, grants: demoGrants }
      : null,
});

export { PtyHub };

export default {
  async fetch(request: Request, env: Env, ctx: { waitUntil(promise: Promise<unknown>): void }) {
    if (new URL(request.url).pathname.startsWith(`${brokerPath}/`)) return broker(request, { env, ctx });
    const file = await env.ASSETS.fetch(request);
    const headers = new Headers(file.headers);
    for (const [name, value] of Object.entries(pageHeaders)) headers.set(name, value);
    return new Response(file.body, { status: file.status, headers });
  },
};
