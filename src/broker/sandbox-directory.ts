/**
 * Where sandboxes are, and what opens them. A broker that keeps no state needs envd's token at each request. It asks
 * the control plane for it and remembers the answer for a while, rather than giving it to the page inside the
 * session's token: see there.
 */

import type { SandboxDetail } from '../control/records.js';
import { type E2BEdgeError, isE2BEdgeError } from '../errors.js';
import { domainPattern, type EnvdEndpoint, envdEndpoint, portEndpoint } from '../transport/envd-endpoint.js';
import { createBoundedCache } from './bounded-cache.js';
import { askControlPlane } from './control-plane.js';
import { sandboxBusy, sandboxNotFound, sandboxPaused, upstreamFailed } from './refusals.js';
import { sandboxIdPattern } from './routes.js';
import type { Credentials } from './settings.js';

/** What is known of a sandbox. */
export interface KnownSandbox {
  endpoint: EnvdEndpoint;
  envdVersion: string;
  /** Where one of its other ports is, without {@link trafficToken}. */
  portEndpoint(port: number): EnvdEndpoint;
  /** Whether requests to its ports have to carry {@link trafficToken}, which only create and connect tell. */
  isPrivate: boolean;
  trafficToken: string | undefined;
}

/** The part of the control plane's answers that matters here. */
export interface SandboxAnswer {
  sandboxID: string;
  envdVersion: string;
  envdAccessToken?: string | null | undefined;
  domain?: string | null | undefined;
  trafficAccessToken?: string | null | undefined;
  network?: { allowPublicTraffic?: boolean } | null | undefined;
}

export interface SandboxDirectory {
  /** @throws `sandbox_not_found` where the control plane does not know it. */
  find(sandboxId: string, credentials: Credentials): Promise<KnownSandbox>;
  /** Takes in what the control plane just said. */
  remember(answer: SandboxAnswer, credentials: Credentials): KnownSandbox;
  /** Nothing answers where it should be: whether it sleeps, is gone, or is on its way between. */
  absence(sandboxId: string, credentials: Credentials): Promise<E2BEdgeError>;
  /** Asks whether it runs, without waking it. @throws `sandbox_paused`, `sandbox_not_found`. */
  requireAwake(sandboxId: string, credentials: Credentials): Promise<void>;
  /** What was remembered was refused, or the sandbox is gone: it is asked for anew, if it was not just now. */
  forget(sandboxId: string): void;
}

const rememberMs = 300_000;
/** All sandboxes of a team share the control plane's patience, so a page at a dead one must not use it up. */
const askAgainMs = 5_000;
const maxRemembered = 1000;

export function createSandboxDirectory(): SandboxDirectory {
  const known = createBoundedCache<KnownSandbox>(rememberMs, maxRemembered);
  const justAsked = createBoundedCache<'there' | 'gone' | 'paused' | 'absent'>(askAgainMs, maxRemembered);

  function remember(answer: SandboxAnswer, { domain, sandboxUrl }: Credentials): KnownSandbox {
    const ownDomain = answer.domain || domain;
    // Both become part of a host name, so not even the control plane is taken at its word.
    if (!sandboxIdPattern.test(answer.sandboxID)) {
      throw upstreamFailed(new Error(`sandbox id "${answer.sandboxID}"`));
    }
    if (ownDomain && !domainPattern.test(ownDomain)) throw upstreamFailed(new Error(`domain "${ownDomain}"`));
    const trafficToken = answer.trafficAccessToken || known.get(answer.sandboxID)?.trafficToken;
    const place = { sandboxId: answer.sandboxID, domain: ownDomain, sandboxUrl };
    const sandbox: KnownSandbox = {
      endpoint: envdEndpoint({ ...place, envdAccessToken: answer.envdAccessToken ?? undefined }),
      envdVersion: answer.envdVersion,
      portEndpoint: (port) => portEndpoint(place, port),
      isPrivate: trafficToken !== undefined || answer.network?.allowPublicTraffic === false,
      trafficToken,
    };
    known.set(answer.sandboxID, sandbox);
    justAsked.set(answer.sandboxID, 'there');
    return sandbox;
  }

  async function ask(sandboxId: string, credentials: Credentials): Promise<SandboxDetail> {
    try {
      return await askControlPlane(() => credentials.control.info(sandboxId));
    } catch (error) {
      if (isE2BEdgeError(error, 'sandbox_not_found')) justAsked.set(sandboxId, 'gone');
      throw error;
    }
  }

  return {
    async find(sandboxId, credentials) {
      const sandbox = known.get(sandboxId);
      if (sandbox) return sandbox;
      if (justAsked.get(sandboxId) === 'gone') throw sandboxNotFound();
      return remember({ ...(await ask(sandboxId, credentials)), sandboxID: sandboxId }, credentials);
    },
    remember,
    async absence(sandboxId, credentials) {
      let answer = justAsked.get(sandboxId);
      if (answer === undefined || answer === 'there') {
        const { state } = await ask(sandboxId, credentials);
        answer = state === 'paused' ? 'paused' : 'absent';
        justAsked.set(sandboxId, answer);
      }
      if (answer === 'gone') return sandboxNotFound(502);
      return answer === 'paused' ? sandboxPaused() : sandboxBusy({ retryAfterMs: 1000 });
    },
    async requireAwake(sandboxId, credentials) {
      if (justAsked.get(sandboxId) !== 'paused') {
        const { state } = await ask(sandboxId, credentials);
        if (state !== 'paused') return;
        justAsked.set(sandboxId, 'paused');
      }
      throw sandboxPaused();
    },
    forget(sandboxId) {
      if (justAsked.get(sandboxId) === undefined) known.delete(sandboxId);
    },
  };
}
