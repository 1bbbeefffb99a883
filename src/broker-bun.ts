/** `e2b-edge/broker/bun`: the session broker with terminals, for `Bun.serve`. */

export { createMemoryStore } from './broker/stores/memory-store.js';
export type * from './broker-types.js';
export type { BunWebSocketHandler } from './hosts/bun/bun-socket.js';
export type { BunServerLike } from './hosts/bun/bun-types.js';
export { type BunBroker, createBroker } from './hosts/bun/create-bun-broker.js';
