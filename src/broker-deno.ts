/** `e2b-edge/broker/deno`: the session broker with terminals, for Deno. */

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
export { createBroker, type DenoBroker } from './hosts/deno/create-deno-broker.js';
export type { FileGrant, Grant, LifecycleGrant, MintRequest, Session } from './wire/session.js';
