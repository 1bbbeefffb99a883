/** The host program for workerd: a Worker with its Durable Objects. */

import {
  type Broker,
  createBroker,
  createDurableObjectStore,
  type DurableObjectNamespaceLike,
  PtyHub,
  SessionStoreObject,
} from 'e2b-edge/broker/cloudflare';
import type { ExecutionContext } from 'hono';
import { Hono } from 'hono';
import { createHostApp } from './host-app.js';
import type { HostSetup } from './setup.js';

export interface Env {
  SETUP: HostSetup;
  SESSION_STORE: DurableObjectNamespaceLike;
}

const app = createHostApp<Broker<Env>, Env>(createBroker, (env) => env.SETUP, {
  store: (env) => createDurableObjectStore(env.SESSION_STORE),
  stateless: { ptyHub: false, maxSubrequests: 50 },
});

const hono = new Hono<{ Bindings: Env }>();
const inHono = app.brokerAt('http://host.test/hono') as Broker<Env>;
hono.all('/hono/*', (c) => inHono(c.req.raw, { env: c.env, ctx: c.executionCtx }));
hono.all('/plain/*', (c) => app.plain(c.req.raw, { env: c.env, ctx: c.executionCtx }));

export { PtyHub, SessionStoreObject };
export default {
  fetch: (request: Request, env: Env, ctx: ExecutionContext): Promise<Response> | Response => {
    if (/^\/(hono|plain)\//.test(new URL(request.url).pathname)) return hono.fetch(request, env, ctx);
    return (
      app.brokerAt(request.url)?.(request, { env, ctx }) ??
      app.control(request, env) ??
      new Response(null, { status: 404 })
    );
  },
};
