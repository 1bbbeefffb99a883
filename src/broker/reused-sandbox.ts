/** The sandbox that a subject has for all of its sessions: found by its mark, or made by whoever comes first. */

import { isE2BEdgeError } from '../errors.js';
import { pause } from '../transport/deadline.js';
import { askControlPlane } from './control-plane.js';
import { createSandbox, type SandboxRequest } from './create-sandbox.js';
import type { Exchange } from './exchange.js';
import { findMarked } from './find-marked.js';
import { httpRefusal, sandboxBusy } from './refusals.js';
import type { SandboxAnswer } from './sandbox-directory.js';
import { storeKey } from './store-access.js';
import { claimOnce } from './store-claim.js';

/** How long another page's creation is waited for, and how often it is looked at, in milliseconds. */
const patienceMs = 30_000;
const lookEveryMs = 250;
/** By then the control plane lists what was made. */
const keepMs = 60_000;

export async function openReused<Env>(
  exchange: Exchange<Env>,
  sandbox: SandboxRequest,
  mark: Record<string, string>,
): Promise<SandboxAnswer> {
  const { credentials, request, exactStore } = exchange;
  const { timeout } = sandbox;
  for (const { sandboxID } of await findMarked(credentials.control, mark, request.signal)) {
    const found = await connect(exchange, sandboxID, timeout);
    if (found) return found;
  }
  const key = await storeKey('own-sandbox', JSON.stringify(mark));
  let ended: string | undefined;
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += lookEveryMs) {
    const claimed = await claimOnce(exactStore, key, keepMs, { useless: ended });
    if (claimed.state === 'done') {
      const made = await connect(exchange, claimed.result, timeout);
      if (made) return made;
      ended = claimed.result;
    } else if (claimed.state === 'pending') {
      await waitFor(request.signal);
    } else {
      try {
        const made = await makeOne(exchange, sandbox, mark);
        await claimed.claim.settle(made.sandboxID);
        return made;
      } catch (error) {
        await claimed.claim.release();
        throw error;
      }
    }
  }
  throw sandboxBusy({ retryAfterMs: 1000 });
}

/**
 * Where the store is this process's alone, two servers can make one each at the same time. Both look then, and the older
 * one stays. One that the control plane does not list yet is not seen: it is let be, and lives for as long as its page does.
 */
async function makeOne<Env>(
  exchange: Exchange<Env>,
  sandbox: SandboxRequest,
  mark: Record<string, string>,
): Promise<SandboxAnswer> {
  const { control, store } = exchange.credentials;
  const made = await createSandbox(exchange, sandbox);
  if (store === exchange.exactStore) return made;
  const [oldest] = await findMarked(control, mark);
  if (!oldest || oldest.sandboxID === made.sandboxID) return made;
  const older = await connect(exchange, oldest.sandboxID, sandbox.timeout);
  if (!older) return made;
  await askControlPlane(() => control.kill(made.sandboxID));
  return older;
}

/** The sandbox, resumed if need be; undefined where it has just ended. */
async function connect<Env>(
  { credentials: { control } }: Exchange<Env>,
  sandboxId: string,
  timeout: number,
): Promise<SandboxAnswer | undefined> {
  try {
    return await askControlPlane(() => control.connect(sandboxId, { timeout }));
  } catch (error) {
    if (isE2BEdgeError(error, 'sandbox_not_found')) return undefined;
    throw error;
  }
}

async function waitFor(signal: AbortSignal): Promise<void> {
  try {
    await pause(lookEveryMs, signal);
  } catch {
    throw httpRefusal(499, 'canceled', 'The caller went away.');
  }
}
