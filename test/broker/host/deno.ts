/** The host program for Deno. */

import { createMemoryStore } from 'e2b-edge/broker';
import { createBroker, type DenoBroker } from 'e2b-edge/broker/deno';
import { createHostApp } from './host-app.js';
import { type HostSetup, setupVariable } from './setup.js';

/** The part of Deno's own interface that is used here. */
declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen(address: { port: number }): void },
    handler: (request: Request) => Promise<Response> | Response,
  ): unknown;
  env: { get(name: string): string | undefined };
  stdin: { readable: ReadableStream<Uint8Array> };
  exit(): never;
};

const setup = JSON.parse(Deno.env.get(setupVariable) as string) as HostSetup;
const app = createHostApp<DenoBroker, undefined>(createBroker, () => setup, { store: createMemoryStore() });

Deno.serve(
  { hostname: '127.0.0.1', port: 0, onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`) },
  (request) =>
    app.brokerAt(request.url)?.(request) ?? app.control(request) ?? new Response(null, { status: 404 }),
);

// Ends with the test that started it, however that ends.
await Deno.stdin.readable.pipeTo(new WritableStream());
Deno.exit();
