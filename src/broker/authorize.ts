/** Asks the application, and makes sure that its answer can be used. */

import { AuthenticationError, type E2BEdgeError, PermissionDeniedError, RateLimitError } from '../errors.js';
import type { Authorization, Intent } from './authorization.js';
import { type CheckedAuthorization, checkAuthorization } from './check-authorization.js';
import type { Exchange } from './exchange.js';
import { type FullGrant, intersectGrants, parseGrant } from './grant.js';
import { requireSound } from './grant-conflict.js';
import { misconfigured, sessionRefused } from './refusals.js';

/** What was authorised; the grant is the smaller of what was asked for and what is allowed. */
export interface Authorized extends Omit<CheckedAuthorization, 'grants'> {
  grant: FullGrant;
}

export async function authorize<Env>(
  { options, request, context, event }: Exchange<Env>,
  intent: Intent,
): Promise<Authorized> {
  let answer: Authorization | null | undefined;
  try {
    answer = await options.authorize(request, intent, context);
  } catch (error) {
    throw applicationRefusal(error) ?? misconfigured("The application's `authorize` failed", error);
  }
  if (!answer) throw sessionRefused();
  const { grants, invite, ...authorization } = checkAuthorization(answer);
  event.subject = authorization.subject;
  const grant = grantOf(grants, intent);
  return { ...authorization, grant, ...(invite && { invite: sound(intersectGrants(invite, grant)) }) };
}

/** What the application threw for the page to read. */
function applicationRefusal(error: unknown): E2BEdgeError | undefined {
  if (error instanceof AuthenticationError) {
    return new AuthenticationError(error.message, { code: error.code, statusCode: 401 });
  }
  if (error instanceof PermissionDeniedError) {
    return new PermissionDeniedError(error.message, { code: error.code, statusCode: 403 });
  }
  if (!(error instanceof RateLimitError)) return undefined;
  const { message, code, retryAfterMs } = error;
  return new RateLimitError(message, {
    code,
    statusCode: 429,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function grantOf(allowed: FullGrant, intent: Intent): FullGrant {
  sound(allowed);
  if (intent.grant === undefined) return allowed;
  const asked = parseGrant(intent.grant);
  const isGuest = 'invitedBy' in intent;
  if (isGuest && allowed.user !== undefined && allowed.user !== asked.user) {
    throw misconfigured(
      "The application's `authorize` gave a guest another user than that of the session that invited",
    );
  }
  // The user is that of the one that allows: for a guest, of the session that invited.
  const grant = isGuest ? intersectGrants(allowed, asked) : intersectGrants(asked, allowed);
  // Of what may be had, a page can ask for a part that is no smaller than the whole.
  requireSound(grant);
  return grant;
}

/** What the application itself has put together. */
function sound(grant: FullGrant): FullGrant {
  try {
    requireSound(grant);
  } catch (cause) {
    throw misconfigured("The application's `authorize` gave grants that cancel one another out", cause);
  }
  return grant;
}
