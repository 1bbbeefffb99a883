/**
 * A page whose connection was lost cannot know whether its session was begun. It asks again with the same
 * `Idempotency-Key`, and gets the same session of the same sandbox. The application is asked all the same, each time: the
 * key alone opens nothing, and it counts for the subject that it was first used for.
 */

import { isE2BEdgeError } from '../errors.js';
import { askControlPlane } from './control-plane.js';
import { killUnused } from './create-sandbox.js';
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
  gen?: string;
  sandbox: SandboxAnswer;
}

/** A session that is to be begun. */
export interface Mint {
  plan: MintPlan;
  /** What the page asked for: the same key with another request is a mistake. */
  asked: object;
  /** When it asked, in milliseconds since 1970. */
  since: number;
  /** Makes the answer. Where it fails the session has not begun. */
  answer(begun: Begun): Promise<Response>;
}

interface Kept extends Omit<Begun, 'sandbox'> {
  sbx: string;
  of: string;
}

const keepMs = 600_000;

export async function mintOnce<Env>(exchange: Exchange<Env>, mint: Mint): Promise<Response> {
  const { credentials, request, exactStore, limits } = exchange;
  const { plan, asked, answer } = mint;
  const { sub } = plan.claims;
  const count = (): Promise<void> => limits.mint(sub, exactStore);
  const idempotencyKey = request.headers.get('idempotency-key');
  if (idempotencyKey === null) {
    await count();
    return begin(exchange, mint);
  }
  if (!/^[\w-]{1,64}$/.test(idempotencyKey)) throw invalidRequest('The Idempotency-Key is not a short name.');
  const { issuer, audience } = credentials.tokens;
  const key = await storeKey('mint', JSON.stringify([issuer, audience, sub, idempotencyKey]));
  const wanted = await storeKey('of', JSON.stringify([asked, plan.sandboxId]));
  let useless: string | undefined;
  for (;;) {
    const claimed = await claimOnce(exactStore, key, keepMs, { useless, admit: count });
    if (claimed.state === 'pending') throw mintInProgress();
    if (claimed.state === 'mine') return settled(exchange, mint, claimed.claim, wanted);
    const { of, ...kept } = JSON.parse(claimed.result) as Kept;
    if (of !== wanted) throw mintKeyReused();
    const begun = await recall(exchange, plan, kept);
    if (begun) return answer(begun);
    useless = claimed.result;
  }
}

/** Undefined where that session was ended, or its sandbox has: who asks again wants one that can be used. */
async function recall<Env>(
  { credentials, limits, revocations }: Exchange<Env>,
  { claims }: MintPlan,
  { sbx, ...session }: Omit<Kept, 'of'>,
): Promise<Begun | undefined> {
  await limits.refresh(session.sid);
  try {
    await revocations.check({ ...claims, ...session });
    const detail = await askControlPlane(() => credentials.control.info(sbx));
    return { ...session, sandbox: { ...detail, sandboxID: sbx } };
  } catch (error) {
    if (isE2BEdgeError(error, 'session_revoked') || isE2BEdgeError(error, 'sandbox_not_found')) {
      return undefined;
    }
    throw error;
  }
}

async function settled<Env>(
  exchange: Exchange<Env>,
  mint: Mint,
  claim: Claim,
  of: string,
): Promise<Response> {
  try {
    return await begin(exchange, mint, ({ sandbox, ...session }) =>
      claim.settle(JSON.stringify({ ...session, sbx: sandbox.sandboxID, of } satisfies Kept)),
    );
  } catch (error) {
    await claim.release();
    throw error;
  }
}

/** @param keep has to work out as well, or the session has not begun. */
async function begin<Env>(
  exchange: Exchange<Env>,
  { plan: { open, claims }, since, answer }: Mint,
  keep?: (begun: Begun) => Promise<void>,
): Promise<Response> {
  const { sandbox, isNew } = await open();
  try {
    const gen = await exchange.revocations.begin(claims.sub, since);
    const session = {
      sid: crypto.randomUUID(),
      auth_time: claims.auth_time ?? Math.floor(Date.now() / 1000),
      ...(gen !== undefined && { gen }),
    };
    // A guest's can have been ended by now.
    await exchange.revocations.check({ ...claims, ...session });
    const begun = { ...session, sandbox };
    const response = await answer(begun);
    await keep?.(begun);
    return response;
  } catch (error) {
    if (isNew) killUnused(exchange, sandbox.sandboxID);
    throw error;
  }
}
