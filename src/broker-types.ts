/** The types that all entries of the broker share. */

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
export type { StreamEnd } from './broker/guarded-stream.js';
export type { BrokerLimits } from './broker/limits.js';
export type { PreviewOptions } from './broker/previews/preview-options.js';
export type { Revocation } from './broker/revocation.js';
export type { SessionStore } from './broker/session-store.js';
export type { SigningKey, SigningKeyPair, SigningKeys } from './broker/signing-keys.js';
export type {
  DirectSession,
  ExactCommand,
  FileGrant,
  Grant,
  LifecycleGrant,
  MintRequest,
  Session,
} from './wire/session.js';
