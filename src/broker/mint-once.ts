/**
 * A page whose connection was lost cannot know whether its session was begun. It asks again with the same
 * `Idempotency-Key`, and gets the same session of the same sandbox. The application is asked all the same, each time: the
 * key alone opens nothing, and it counts for the subject that it was first used for.
 */

import { askControlPlane } from './control-plane.js';
import type { Exchange } from './exchange.js';
import type { MintPlan } from './mint-plan.js';
import { invalidRequest, mintInProgress, mintKeyReused } from './refusals.js';
import type { SandboxAnswer } from './sandbox-directory.js';
import { storeKey } from './store-access.js';
import { type Claim, claimOnce } from './store-claim.js';

/** What a session has from its beginning on. */
export interface Begun {
  sid: string;
  auth_time: number;
  sandbox: SandboxAnswer;
}

const keepMs = 600_000;

/** @param asked what the page asked for: the same key with another request is a mistake. */
export async function mintOnce<Env>(exchange: Exchange<Env>, plan: MintPlan, asked: object): Promise<Begun> {
  const { credentials, request, exactStore, limits } = exchange;
  const count = (): Promise<void> => limits.mint(plan.claims.sub, exactStore);
  const idempotencyKey = request.headers.get('idempotency-key');
  if (idempotencyKey === null) {
    await count();
    return begin(plan);
  }
  if (!/^[\w-]{1,64}$/.test(idempotencyKey)) throw invalidRequest('The Idempotency-Key is not a short name.');
  const { issuer, audience } = credentials.tokens;
  const key = await storeKey('mint', JSON.stringify([issuer, audience, plan.claims.sub, idempotencyKey]));
  const wanted = await storeKey('of', JSON.stringify([asked, plan.sandboxId]));
  const claimed = await claimOnce(exactStore, key, keepMs, { admit: count });
  if (claimed.state === 'pending') throw mintInProgress();
  if (claimed.state === 'mine') return settled(claimed.claim, wanted, plan);
  const { sbx, of, ...known } = JSON.parse(claimed.result) as Kept;
  if (of !== wanted) throw mintKeyReused();
  await limits.refresh(known.sid);
  const detail = await askControlPlane(() => credentials.control.info(sbx));
  return { ...known, sandbox: { ...detail, sandboxID: sbx } };
}

interface Kept extends Pick<Begun, 'sid' | 'auth_time'> {
  sbx: string;
  of: string;
}

async function settled(claim: Claim, of: string, plan: MintPlan): Promise<Begun> {
  let begun: Begun;
  try {
    begun = await begin(plan);
  } catch (error) {
    await claim.release();
    throw error;
  }
  const { sandbox, ...rest } = begun;
  await claim.settle(JSON.stringify({ ...rest, sbx: sandbox.sandboxID, of } satisfies Kept));
  return begun;
}

async function begin({ open, claims }: MintPlan): Promise<Begun> {
  const sandbox = await open();
  const now = Math.floor(Date.now() / 1000);
  return { sid: crypto.randomUUID(), auth_time: claims.auth_time ?? now, sandbox };
}
