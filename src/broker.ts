/** `e2b-edge/broker`: the session broker, for any runtime with web standards. */

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
export { type Broker, createBroker } from './broker/create-broker.js';
export type { Revocation } from './broker/revocation.js';
export type { SessionStore } from './broker/session-store.js';
export type { SigningKey, SigningKeyPair, SigningKeys } from './broker/signing-keys.js';
export { createMemoryStore } from './broker/stores/memory-store.js';
export type { FileGrant, Grant, LifecycleGrant, MintRequest, Session } from './wire/session.js';
