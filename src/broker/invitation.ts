/**
 * Invitations: what the page of one session gives to another person, in the fragment of a link. It opens nothing by
 * itself. Whoever has it may ask for a session of the same sandbox, and the application is asked about them like about
 * anybody. The session that comes of it ends with the one that invited, and never has more than that had.
 */

import { whole } from '../transport/check-options.js';
import { ownSession } from './bearer.js';
import type { Exchange } from './exchange.js';
import { type FullGrant, intersectGrants, parseGrant } from './grant.js';
import { requireSound } from './grant-conflict.js';
import { jsonResponse } from './json-response.js';
import { checkField, readJson } from './read-json.js';
import { invitationInvalid, notGranted } from './refusals.js';
import type { RevocableSession } from './revocation.js';
import { processOwner, sessionEndsAt } from './session-token.js';
import { signClaims, type TokenSettings, verifyClaims } from './signed-token.js';
import { readGrant, readNumber, readSandboxId, readText, readVia } from './token-claims.js';

/** What an invitation says. Times are in seconds since 1970. */
export interface Invitation {
  jti: string;
  sbx: string;
  /** The most that it passes on. */
  g: FullGrant;
  /** Whose processes and terminals they are. */
  own: string;
  /** The session that invites, last, after those that it came from itself. */
  via: readonly [RevocableSession, ...RevocableSession[]];
  /** When the first of these sessions began: the guest's absolute life counts from there as well. */
  auth_time: number;
  /** How many sessions may come of it. */
  uses: number;
  exp: number;
}

const type = 'e2b-invitation+jwt';
const defaultTtlMs = 600_000;
const maxTtlMs = 86_400_000;
const maxUses = 100;
/** Each of them is asked about at every request. */
const maxVia = 8;

/** `POST /sessions/:id/invite { grant?, ttlMs?, uses? }` */
export async function invite<Env>(exchange: Exchange<Env>, sessionId: string): Promise<Response> {
  const { tokens } = exchange.credentials;
  const { sub, sid, gen, sbx, inv, via = [], auth_time, own } = await ownSession(exchange, sessionId);
  const { grant, ttlMs = defaultTtlMs, uses = 1 } = await readJson(exchange.request);
  if (!inv || via.length >= maxVia) throw notGranted('invite others');
  checkField('ttlMs', ttlMs, whole(1000, maxTtlMs));
  checkField('uses', uses, whole(1, maxUses));
  // No more than the session itself may: that was seen to when its token was made.
  const passed = grant === undefined ? inv : intersectGrants(parseGrant(grant), inv);
  requireSound(passed);
  const now = Math.floor(Date.now() / 1000);
  const end = Math.floor(sessionEndsAt({ auth_time }, tokens) / 1000);
  const exp = Math.min(now + Math.floor((ttlMs as number) / 1000), end);
  const claims = {
    sub,
    sbx,
    g: passed,
    own: processOwner({ sub, own }),
    via: [...via, { sub, sid, gen }],
    auth_time,
    uses,
  };
  const invitation = await signClaims(type, claims, { now, exp }, tokens);
  return jsonResponse({ invitation, expiresAt: exp * 1000 }, 201);
}

/** @throws `invitation_invalid` where it is none, or its time is over. */
export async function readInvitation(token: string, tokens: TokenSettings): Promise<Invitation> {
  try {
    const { payload, expired } = await verifyClaims(type, token, tokens);
    const { jti, sbx, g, own, via, auth_time, uses, exp } = payload;
    const invitation: Invitation = {
      jti: readText(jti),
      sbx: readSandboxId(sbx),
      g: readGrant(g),
      own: readText(own),
      via: readVia(via),
      auth_time: readNumber(auth_time),
      uses: readNumber(uses),
      exp: readNumber(exp),
    };
    if (expired || Date.now() >= sessionEndsAt(invitation, tokens)) throw invitationInvalid();
    return invitation;
  } catch {
    throw invitationInvalid();
  }
}
