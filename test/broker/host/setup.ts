/** What a host program is told at its start, as JSON. */

/** Where a broker's sandboxes come from. */
export interface Upstream {
  apiKey: string;
  apiUrl: string;
  sandboxUrl: string;
}

export interface HostSetup {
  upstreams: Record<UpstreamName, Upstream>;
  signingKey: string;
}

/**
 * `local` is a local sandbox server; `observed` is the same with a proxy before envd that counts requests; `scripted` is
 * one that answers as a case tells it to.
 */
export type UpstreamName = 'local' | 'observed' | 'scripted';

/** The variable that holds it in the runtimes that have an environment. */
export const setupVariable = 'E2B_TEST_SETUP';

export const pageOrigin = 'https://app.example';
