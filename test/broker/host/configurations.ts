/** The brokers of a host program by name: each is mounted at `/<name>`. */

import type { BrokerOptions, SessionStore } from 'e2b-edge/broker';
import type { UpstreamName } from './setup.js';

/** What only some runtimes have, or each has in a form of its own. */
export interface HostParts {
  /** The store that is right for the runtime: the process's memory but for workerd, where it is a Durable Object. */
  store: SessionStore;
}

export interface Configuration extends Partial<BrokerOptions<never>> {
  /** Default `local`. */
  upstream?: UpstreamName;
}

export type ConfigurationName = keyof ReturnType<typeof configurations>;

export function configurations({ store }: HostParts) {
  return {
    default: {},
    observed: { upstream: 'observed' },
    scripted: { upstream: 'scripted' },
    stored: { store },
    'short-tokens': { tokenTtlMs: 2_000 },
    'short-sessions': { store, sessionLifeMs: 3_000 },
  } satisfies Record<string, Configuration>;
}
