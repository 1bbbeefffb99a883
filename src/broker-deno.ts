/** `e2b-edge/broker/deno`: the session broker with terminals, for `Deno.serve`. */

export { createMemoryStore } from './broker/stores/memory-store.js';
export type * from './broker-types.js';
export { createBroker, type DenoBroker } from './hosts/deno/create-deno-broker.js';
export { createDenoKvStore, type DenoKvLike } from './hosts/deno/deno-kv-store.js';
