/** A WebSocket of a page to an app in a sandbox: judged here, opened by the host. */

import { lifeOf } from '../bearer.js';
import type { Decision } from '../decision.js';
import type { Exchange } from '../exchange.js';
import { httpRefusal } from '../refusals.js';
import type { SessionLife } from '../session-life.js';
import { appProtocols, previewAccess } from './preview-access.js';
import { refusedPreview } from './preview-proxy.js';
import type { PreviewTarget } from './preview-target.js';
import { previewUpstream } from './preview-upstream.js';

/** What a host needs to open it. */
export interface PreviewSocket {
  port: number;
  /** `http` or `https`. */
  url: string;
  /** All but those of the WebSocket's own handshake. */
  headers: Record<string, string>;
  /** The subprotocols that the page offers. */
  protocols: string[];
  /** What it ends with, and what it does for the sandbox. */
  life: SessionLife;
  /** To be called once it is closed. */
  leave(): void;
}

/** Judges a request, and has the host open both ends. Never rejects. */
export async function acceptPreview<Env, Accepted>(
  exchange: Exchange<Env>,
  target: PreviewTarget,
  decision: Decision,
  current: Parameters<typeof lifeOf>[2],
  accept: (socket: PreviewSocket) => Accepted | Promise<Accepted>,
): Promise<Accepted | Response> {
  const { sandboxId, port } = target;
  Object.assign(decision.event, { action: 'preview', sandboxId, port });
  let leave = (): void => undefined;
  try {
    const access = await previewAccess(exchange, target);
    leave = exchange.limits.enter('socket', access.claims);
    const { url, headers } = await previewUpstream(exchange, target, access);
    const accepted = await accept({
      port,
      url,
      headers,
      protocols: appProtocols(exchange.request.headers),
      life: lifeOf(exchange, access.claims, current),
      leave,
    });
    decision.made(101);
    return accepted;
  } catch (error) {
    leave();
    decision.failed(error);
    return refusedPreview(exchange, target, error);
  }
}

/** 502: what listens at the port, if anything does, takes no WebSocket at this path. */
export function upgradeRefused(port: number, cause?: unknown): Error {
  const refusal = httpRefusal(
    502,
    'upgrade_refused',
    `Nothing at port ${port} of the sandbox takes this WebSocket.`,
  );
  refusal.cause = cause;
  return refusal;
}
