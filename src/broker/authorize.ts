/** Asks the application, and makes sure that its answer can be used. */

import { AuthenticationError, E2BEdgeError, PermissionDeniedError, RateLimitError } from '../errors.js';
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
  const { grants, ...authorization } = checkAuthorization(answer);
  event.subject = authorization.subject;
  return { ...authorization, grant: grantOf(grants, intent) };
}

/** What the application threw for the page to read. */
function applicationRefusal(error: unknown): E2BEdgeError | undefined {
  if (!(error instanceof E2BEdgeError)) return undefined;
  const { message, code, retryAfterMs } = error;
  if (error instanceof AuthenticationError)
    return new AuthenticationError(message, { code, statusCode: 401 });
  if (error instanceof PermissionDeniedError)
    return new PermissionDeniedError(message, { code, statusCode: 403 });
  if (!(error instanceof RateLimitError)) return undefined;
  return new RateLimitError(message, {
    code,
    statusCode: 429,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function grantOf(allowed: FullGrant, { grant: asked }: Intent): FullGrant {
  try {
    requireSound(allowed);
  } catch (cause) {
    throw misconfigured("The application's `authorize` gave grants that cancel one another out", cause);
  }
  if (asked === undefined) return allowed;
  const grant = intersectGrants(parseGrant(asked), allowed);
  // Of what may be had, a page can ask for a part that is no smaller than the whole.
  requireSound(grant);
  return grant;
}
