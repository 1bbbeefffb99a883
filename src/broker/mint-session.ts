/** `POST /sessions`: a session is begun. */

import { authorize } from './authorize.js';
import { directResponse, requireDirect } from './direct-session.js';
import { rememberEnd } from './end-sandboxes.js';
import type { Exchange } from './exchange.js';
import { planJoin } from './join-session.js';
import { type Begun, mintOnce } from './mint-once.js';
import { decidedClaims, lifeSeconds, type MintPlan } from './mint-plan.js';
import { type ParsedMintRequest, readMintRequest } from './mint-request.js';
import { openSandbox } from './open-sandbox.js';
import { sessionResponse } from './session-response.js';
import type { SessionClaims } from './session-token.js';

export async function mintSession<Env>(exchange: Exchange<Env>): Promise<Response> {
  const since = Date.now();
  const { invitation, ...asked } = await readMintRequest(exchange.request);
  const plan =
    invitation === undefined ? await planMint(exchange, asked) : await planJoin(exchange, asked, invitation);
  return mintOnce(exchange, {
    plan,
    asked: { ...asked, invitation },
    since,
    answer: (begun) => answerMint(exchange, plan, begun),
  });
}

async function answerMint<Env>(
  exchange: Exchange<Env>,
  plan: MintPlan,
  { sandbox, ...session }: Begun,
): Promise<Response> {
  if (plan.direct) return directResponse(exchange, sandbox);
  const claims: SessionClaims = { ...plan.claims, ...session, sbx: sandbox.sandboxID };
  Object.assign(exchange.event, { sessionId: claims.sid, sandboxId: claims.sbx });
  await rememberEnd(exchange, claims);
  return sessionResponse(exchange, claims, sandbox, 201);
}

async function planMint<Env>(exchange: Exchange<Env>, asked: ParsedMintRequest): Promise<MintPlan> {
  const authorized = await authorize(exchange, { action: 'mint', ...asked });
  if (asked.direct) requireDirect(authorized);
  const { sandbox } = authorized;
  return {
    claims: decidedClaims(authorized),
    ...('id' in sandbox && { sandboxId: sandbox.id }),
    ...(asked.direct && { direct: true }),
    open: () => openSandbox(exchange, authorized, asked.sandboxId, lifeSeconds(authorized)),
  };
}
