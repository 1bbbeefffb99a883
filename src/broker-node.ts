/** `e2b-edge/broker/node`: the session broker with terminals, to mount on a server of `node:http`. */

export type {
  Authorization,
  Intent,
  JoinIntent,
  MintIntent,
  NewSandbox,
  RefreshIntent,
  SandboxLife,
} from './broker/authorization.js';
export type { BrokerEvent } from './broker/broker-event.js';
export type { BrokerContext, BrokerOptions, FromEnv } from './broker/broker-options.js';
export type { Revocation } from './broker/revocation.js';
export type { SessionStore } from './broker/session-store.js';
export type { SigningKey, SigningKeyPair, SigningKeys } from './broker/signing-keys.js';
export { createMemoryStore } from './broker/stores/memory-store.js';
export { createNodeBroker, type NodeBroker } from './hosts/node/create-node-broker.js';
export type { FileGrant, Grant, LifecycleGrant, MintRequest, Session } from './wire/session.js';
