/** A Worker that runs the store suite in its own runtime. */

import { createKvStore, type KvNamespaceLike } from '../../../../src/hosts/cloudflare/kv-store.js';
import {
  createDurableObjectStore,
  type DurableObjectStateLike,
  SessionStoreObject,
} from '../../../../src/hosts/cloudflare/session-store-object.js';
import type { DurableObjectNamespaceLike } from '../../../../src/hosts/cloudflare/workers-types.js';
import { runStoreSuite } from './store-suite.js';

interface Env {
  SESSION_STORE: DurableObjectNamespaceLike;
  REVOKED: KvNamespaceLike;
}

/** The object as it is, and a look at what it holds. */
export class InspectedStoreObject extends SessionStoreObject {
  readonly #state: DurableObjectStateLike & { storage: { list(): Promise<Map<string, unknown>> } };

  constructor(state: DurableObjectStateLike & { storage: { list(): Promise<Map<string, unknown>> } }) {
    super(state);
    this.#state = state;
  }

  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== '/size') return super.fetch(request);
    return Response.json((await this.#state.storage.list()).size);
  }
}

export default {
  async fetch(request: Request, { SESSION_STORE, REVOKED }: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case '/durable-object':
        return Response.json(await runStoreSuite(createDurableObjectStore(SESSION_STORE)));
      case '/kv':
        return Response.json(await runStoreSuite(createKvStore(REVOKED)));
      case '/set': {
        const ttlMs = Number(searchParams.get('ttl'));
        await createDurableObjectStore(SESSION_STORE).set('grows', 'x', Date.now() + ttlMs);
        return new Response(null, { status: 204 });
      }
      default: {
        const object = SESSION_STORE.get(SESSION_STORE.idFromName('grows') as never);
        return object.fetch(new Request('https://store.invalid/size'));
      }
    }
  },
};
