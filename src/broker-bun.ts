/** `e2b-edge/broker/bun`: the session broker with terminals, for Bun. */

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
export type { BunWebSocketHandler } from './hosts/bun/bun-socket.js';
export type { BunServerLike } from './hosts/bun/bun-types.js';
export { type BunBroker, createBroker } from './hosts/bun/create-bun-broker.js';
export type { FileGrant, Grant, LifecycleGrant, MintRequest, Session } from './wire/session.js';
