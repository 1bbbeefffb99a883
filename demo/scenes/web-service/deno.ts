/** The service on Deno: `deno run --allow-net --allow-env demo/scenes/web-service/deno.ts`. */

import { createApp, type Env } from './app.ts';

/** The part of Deno's own interface that is used here. */
declare const Deno: {
  env: { get(name: string): string | undefined };
  serve(
    options: { hostname: string; port: number; onListen(address: { port: number }): void },
    handler: (request: Request) => Response | Promise<Response>,
  ): unknown;
};

const app = createApp();
const names = ['E2B_API_KEY', 'E2B_API_URL', 'E2B_SANDBOX_URL'];
const env = Object.fromEntries(names.map((name) => [name, Deno.env.get(name)])) as unknown as Env;

Deno.serve(
  {
    hostname: '127.0.0.1',
    port: Number(Deno.env.get('PORT') ?? 8787),
    onListen: ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`),
  },
  (request) => app.fetch(request, env),
);
