/** The brokers of a host program by name: each is mounted at `/<name>`. */

import type { BrokerOptions, FromEnv, SessionStore } from 'e2b-edge/broker';
import type { UpstreamName } from './setup.js';

/** What each runtime has in a form of its own. */
export interface HostParts<Env> {
  /** The store that is right for it: Durable Objects in workerd, Deno KV in Deno, the memory of the process elsewhere. */
  store: FromEnv<Env, SessionStore>;
  /** What makes a broker one without a memory that outlives a socket, where the runtime has such a thing. */
  stateless?: object;
}

export interface Configuration<Env = never> extends Partial<BrokerOptions<Env>> {
  /** Default `local`. */
  upstream?: UpstreamName;
}

/** A key of these tests alone. */
const testKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'm1GBnV_x9N8RlqxtvYKtgEMcNS4xD5AA_BPMkBHYTKQ',
  y: 'dJ81lIRSVDYLR36DQjund-MciVn9u1XCanNCIHhJ8pY',
  d: '497TWKJdPMvcL-hWdWL09P7S8pnL9NvUO4q9sFDyq6g',
};

export type ConfigurationName = keyof ReturnType<typeof configurations<never>>;

export function configurations<Env>({ store, stateless = {} }: HostParts<Env>) {
  return {
    default: {},
    // Mounted in an application of Hono's.
    hono: { upstream: 'observed' },
    // The same, for any runtime with web standards: without terminals.
    plain: { upstream: 'observed' },
    observed: { upstream: 'observed' },
    stateless,
    scripted: { upstream: 'scripted' },
    stored: { store },
    limited: { store, limits: { mintsPerMinute: 3, streams: 2, sockets: 2, helloMs: 300 } },
    // What comes from the test's own connection may be long: Node's server takes 16 KiB of head.
    audited: { limits: { mintsPerMinute: 1000, headerBytes: 8192 } },
    previews: { store, previews: { origin: 'http://{port}-{sandboxId}.preview.localhost' } },
    asymmetric: { signingKeys: { current: testKey } },
    'short-tokens': { tokenTtlMs: 2_000 },
    'short-sessions': { store, sessionLifeMs: 3_000 },
  } satisfies Record<string, Configuration<Env>>;
}
