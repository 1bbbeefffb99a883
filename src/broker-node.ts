/** `e2b-edge/broker/node`: the session broker with terminals, to mount on a server of `node:http`. */

export { createMemoryStore } from './broker/stores/memory-store.js';
export type * from './broker-types.js';
export { createNodeBroker, type NodeBroker } from './hosts/node/create-node-broker.js';
