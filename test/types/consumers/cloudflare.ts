/** A Cloudflare Worker's program. Nothing runs it: it is compiled. */

import { createBroker, PtyHub } from 'e2b-edge/broker/cloudflare';

interface Env {
  E2B_API_KEY: string;
  SESSION_KEY: string;
}

const broker = createBroker<Env>({
  apiKey: (env) => env.E2B_API_KEY,
  signingKeys: (env) => ({ current: env.SESSION_KEY }),
  origins: ['https://app.example'],
  authorize: async () => ({ subject: 'user', sandbox: { template: 'base' }, grants: { pty: 'write' } }),
});

export { PtyHub };
export default { fetch: (request, env, ctx) => broker(request, { env, ctx }) } satisfies ExportedHandler<Env>;
