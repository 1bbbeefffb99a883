/** `e2b-edge/broker/cloudflare`: the session broker with terminals, for a Worker and a Durable Object. */

export type { Broker } from './broker/create-broker.js';
export { createMemoryStore } from './broker/stores/memory-store.js';
export type * from './broker-types.js';
export { createBroker, type WorkerBrokerOptions } from './hosts/cloudflare/create-worker-broker.js';
export { createKvStore, type KvNamespaceLike } from './hosts/cloudflare/kv-store.js';
export { PtyHub } from './hosts/cloudflare/pty-hub.js';
export {
  createDurableObjectStore,
  type DurableObjectStateLike,
  SessionStoreObject,
} from './hosts/cloudflare/session-store-object.js';
export type { DurableObjectNamespaceLike } from './hosts/cloudflare/workers-types.js';
