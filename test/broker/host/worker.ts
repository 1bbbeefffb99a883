/** The host program for workerd: a Worker with its Durable Objects. */

import { type Broker, createMemoryStore } from 'e2b-edge/broker';
import { createBroker, PtyHub } from 'e2b-edge/broker/cloudflare';
import { createHostApp } from './host-app.js';
import type { HostSetup } from './setup.js';

export interface Env {
  SETUP: HostSetup;
}

interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
}

const app = createHostApp<Broker<Env>, Env>(createBroker, (env) => env.SETUP, {
  // There is one isolate here.
  store: createMemoryStore(),
});

export { PtyHub };
export default {
  fetch: (request: Request, env: Env, ctx: ExecutionContext): Promise<Response> | Response =>
    app.brokerAt(request.url)?.(request, { env, ctx }) ??
    app.control(request) ??
    new Response(null, { status: 404 }),
};
