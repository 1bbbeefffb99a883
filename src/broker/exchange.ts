/** What the steps of a request need, so that each takes one argument for it. */

import type { BrokerEvent } from './broker-event.js';
import type { BrokerContext, BrokerOptions } from './broker-options.js';
import type { KeepAlive } from './keep-alive.js';
import type { Limits } from './limits.js';
import type { Revocations } from './revocation.js';
import type { SandboxDirectory } from './sandbox-directory.js';
import type { SessionLife } from './session-life.js';
import type { Credentials, Settings } from './settings.js';
import type { ExactStore } from './store-claim.js';
import type { Trace } from './trace.js';

/** What a broker has for all of its requests. */
export interface BrokerParts<Env> {
  options: BrokerOptions<Env>;
  settings: Settings;
  directory: SandboxDirectory;
  keepAlive: KeepAlive;
  limits: Limits;
}

/** A broker while it does one thing: with the credentials of the moment, and what will be logged of it. */
export interface Scope<Env = unknown> extends BrokerParts<Env> {
  context: BrokerContext<Env>;
  credentials: Credentials;
  revocations: Revocations;
  /** The application's store, or this process's memory where that is none of which several at once can ask. */
  exactStore: ExactStore;
  /** The caller's, for all that is asked upstream on its behalf. */
  trace: Trace;
  /** Filled in as things become known. */
  event: Pick<BrokerEvent, 'requestId'> & Partial<BrokerEvent>;
}

/** A scope that is one request's. */
export interface Exchange<Env = unknown> extends Scope<Env> {
  request: Request;
  /** What a stream that answers it is bound to. */
  life: SessionLife;
  /** Made by a terminal, which is counted and logged by itself. */
  isTerminals?: true;
}
