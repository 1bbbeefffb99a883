/** `e2b-edge/broker/cloudflare`: the session broker with terminals, for a Worker and a Durable Object. */

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
export type { BrokerContext, FromEnv } from './broker/broker-options.js';
export type { Broker } from './broker/create-broker.js';
export type { Revocation } from './broker/revocation.js';
export type { SessionStore } from './broker/session-store.js';
export type { SigningKey, SigningKeyPair, SigningKeys } from './broker/signing-keys.js';
export { createMemoryStore } from './broker/stores/memory-store.js';
export { createBroker, type WorkerBrokerOptions } from './hosts/cloudflare/create-worker-broker.js';
export { PtyHub } from './hosts/cloudflare/pty-hub.js';
export type { DurableObjectNamespaceLike } from './hosts/cloudflare/workers-types.js';
export type { FileGrant, Grant, LifecycleGrant, MintRequest, Session } from './wire/session.js';
