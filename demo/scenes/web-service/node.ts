/// <reference types="node" />
/** The service on Node: `node demo/scenes/run.mjs web-service`. */

import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { createApp, type Env } from './app.ts';

const app = createApp();
const env = process.env as unknown as Env;

const server = serve(
  {
    fetch: (request) => app.fetch(request, env),
    hostname: '127.0.0.1',
    port: Number(process.env.PORT ?? 8787),
  },
  ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`),
);

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
server.close();
