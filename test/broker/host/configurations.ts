/** The brokers of a host program by name: each is mounted at `/<name>`. */

import type { BrokerOptions, FromEnv, SessionStore } from 'e2b-edge/broker';
import type { UpstreamName } from './setup.js';

/** What each runtime has in a form of its own. */
export interface HostParts<Env> {
  /** The store that is right for it: Durable Objects in workerd, Deno KV in Deno, the memory of the process elsewhere. */
  store: FromEnv<Env, SessionStore>;
}

export interface Configuration<Env = never> extends Partial<BrokerOptions<Env>> {
  /** Default `local`. */
  upstream?: UpstreamName;
}

export type ConfigurationName = keyof ReturnType<typeof configurations<never>>;

export function configurations<Env>({ store }: HostParts<Env>) {
  return {
    default: {},
    // Mounted in an application of Hono's.
    hono: { upstream: 'observed' },
    // The same, for any runtime with web standards: without terminals.
    plain: { upstream: 'observed' },
    observed: { upstream: 'observed' },
    scripted: { upstream: 'scripted' },
    stored: { store },
    previews: { store, previews: { origin: 'http://{port}-{sandboxId}.preview.localhost' } },
    'short-tokens': { tokenTtlMs: 2_000 },
    'short-sessions': { store, sessionLifeMs: 3_000 },
  } satisfies Record<string, Configuration<Env>>;
}
