/** The host program for Deno. */

import { createBroker, createDenoKvStore, type DenoBroker, type DenoKvLike } from 'e2b-edge/broker/deno';
import { Hono } from 'hono';
import { createHostApp } from './host-app.js';
import { type HostSetup, setupVariable } from './setup.js';

/** The part of Deno's own interface that is used here. */
declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen(address: { port: number }): void },
    handler: (request: Request) => Promise<Response> | Response,
  ): unknown;
  openKv(path: string): Promise<DenoKvLike>;
  env: { get(name: string): string | undefined };
  stdin: { readable: ReadableStream<Uint8Array> };
  exit(): never;
};

const setup = JSON.parse(Deno.env.get(setupVariable) as string) as HostSetup;
const app = createHostApp<DenoBroker, undefined>(createBroker, () => setup, {
  store: createDenoKvStore(await Deno.openKv(':memory:')),
});

const hono = new Hono();
const inHono = app.brokerAt('http://host.test/hono') as DenoBroker;
hono.all('/hono/*', (c) => inHono(c.req.raw));
hono.all('/plain/*', (c) => app.plain(c.req.raw));

function answer(request: Request): Promise<Response> | Response {
  if (/^\/(hono|plain)\//.test(new URL(request.url).pathname)) return hono.fetch(request);
  return app.brokerAt(request.url)?.(request) ?? app.control(request) ?? new Response(null, { status: 404 });
}

Deno.serve(
  { hostname: '127.0.0.1', port: 0, onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`) },
  answer,
);

// Ends with the test that started it, however that ends.
await Deno.stdin.readable.pipeTo(new WritableStream());
Deno.exit();
