/** A Worker with a broker and its Durable Object, as an application would have it. */

import { createBroker, PtyHub } from '../../../../src/broker-cloudflare.js';

interface Env {
  E2B_API_KEY: string;
  E2B_URL: string;
  SESSION_KEY: string;
}

const broker = createBroker<Env>({
  apiKey: (env) => env.E2B_API_KEY,
  apiUrl: (env) => env.E2B_URL,
  sandboxUrl: (env) => env.E2B_URL,
  signingKeys: (env) => ({ current: env.SESSION_KEY }),
  origins: ['https://app.example'],
  limits: { mintsPerMinute: 1000 },
  basePath: '/api/sandbox',
  authorize: (request) => ({
    subject: request.headers.get('x-user') ?? 'ann',
    sandbox: { template: 'base' },
    grants: {
      files: [
        { op: 'read', prefix: '/' },
        { op: 'write', prefix: '/home/user' },
      ],
      commands: 'run',
      pty: 'write',
      lifecycle: ['info', 'kill'],
    },
  }),
});

export { PtyHub };
export default {
  fetch: (
    request: Request,
    env: Env,
    ctx: { waitUntil(promise: Promise<unknown>): void },
  ): Promise<Response> => broker(request, { env, ctx }),
};
