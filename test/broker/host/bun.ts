/** The host program for Bun. */

import {
  type BunBroker,
  type BunServerLike,
  type BunWebSocketHandler,
  createBroker,
  createMemoryStore,
} from 'e2b-edge/broker/bun';
import { Hono } from 'hono';
import { createHostApp } from './host-app.js';
import { type HostSetup, setupVariable } from './setup.js';

/** The part of Bun's own interface that is used here. */
declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    websocket: BunWebSocketHandler;
    fetch: (request: Request, server: BunServerLike) => Promise<Response> | Response;
  }): { port: number };
  env: Record<string, string>;
  stdin: { stream(): ReadableStream<Uint8Array> };
};

const setup = JSON.parse(Bun.env[setupVariable] as string) as HostSetup;
const app = createHostApp<BunBroker, undefined>(createBroker, () => setup, { store: createMemoryStore() });
const { websocket } = app.brokerAt('http://host.test/default') as BunBroker;

const hono = new Hono<{ Bindings: BunServerLike }>();
const inHono = app.brokerAt('http://host.test/hono') as BunBroker;
hono.all('/hono/*', (c) => inHono.fetch(c.req.raw, c.env));
hono.all('/plain/*', (c) => app.plain(c.req.raw));

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  websocket,
  fetch: (request, server) => {
    if (/^\/(hono|plain)\//.test(new URL(request.url).pathname)) return hono.fetch(request, server);
    return (
      app.brokerAt(request.url)?.fetch(request, server) ??
      app.control(request) ??
      new Response(null, { status: 404 })
    );
  },
});
console.log(`http://127.0.0.1:${server.port}`);

// Ends with the test that started it, however that ends.
await Bun.stdin.stream().pipeTo(new WritableStream());
process.exit();
