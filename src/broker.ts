/** `e2b-edge/broker`: the session broker, for any runtime with web standards. */

export { type Broker, createBroker } from './broker/create-broker.js';
export { createMemoryStore } from './broker/stores/memory-store.js';
export type * from './broker-types.js';
