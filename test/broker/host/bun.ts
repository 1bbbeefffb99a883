/** The host program for Bun. */

import { createMemoryStore } from 'e2b-edge/broker';
import {
  type BunBroker,
  type BunServerLike,
  type BunWebSocketHandler,
  createBroker,
} from 'e2b-edge/broker/bun';
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

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  websocket,
  fetch: (request, server) =>
    app.brokerAt(request.url)?.fetch(request, server) ??
    app.control(request) ??
    new Response(null, { status: 404 }),
});
console.log(`http://127.0.0.1:${server.port}`);

// Ends with the test that started it, however that ends.
await Bun.stdin.stream().pipeTo(new WritableStream());
process.exit();
