/** `e2b-edge/broker/node`: the session broker with terminals, to mount on a server of `node:http`. */

export type { BrokerEvent } from './broker/broker-event.js';
export type {
  Authorization,
  BrokerContext,
  BrokerOptions,
  FromEnv,
  Intent,
  NewSandbox,
} from './broker/broker-options.js';
export { createMemoryStore, type SessionStore } from './broker/session-store.js';
export type { SigningKey, SigningKeyPair, SigningKeys } from './broker/signing-keys.js';
export { createNodeBroker, type NodeBroker } from './hosts/node/create-node-broker.js';
export type { FileGrant, Grant, LifecycleGrant, MintRequest, Session } from './wire/session.js';
