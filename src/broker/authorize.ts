/** Asks the application, and makes sure that its answer can be used. */

import { AuthenticationError, E2BEdgeError, PermissionDeniedError, RateLimitError } from '../errors.js';
import type { Authorization, Intent } from './broker-options.js';
import type { Exchange } from './exchange.js';
import { defeatsExactCommands, type FullGrant, intersectGrants, parseGrant } from './grant.js';
import { misconfigured, sessionRefused } from './refusals.js';
import { sandboxIdPattern } from './routes.js';

/** What was authorised; the grant is the smaller of what was asked for and what is allowed. */
export interface Authorized extends Omit<Authorization, 'grants'> {
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
  const { subject, sandbox } = answer;
  if (typeof subject !== 'string' || subject === '') {
    throw misconfigured("The application's `authorize` gave no subject.");
  }
  event.subject = subject;
  if (!isSandbox(sandbox)) {
    throw misconfigured(
      "The application's `authorize` gave no sandbox template or id, or a wrong timeoutMs.",
    );
  }
  return { subject, sandbox, grant: grantOf(answer, intent) };
}

/** Types are no promise where an application reads its answer from a database. */
function isSandbox(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, template, timeoutMs = 0 } = value as Record<string, unknown>;
  const isNamed =
    'id' in value
      ? typeof id === 'string' && sandboxIdPattern.test(id)
      : typeof template === 'string' && template !== '';
  return isNamed && Number.isFinite(timeoutMs) && (timeoutMs as number) >= 0;
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

function grantOf({ grants }: Authorization, { grant: asked }: Intent): FullGrant {
  let allowed: FullGrant;
  try {
    allowed = parseGrant(grants);
  } catch (cause) {
    throw misconfigured("The application's `authorize` gave grants that cannot be used", cause);
  }
  const grant = asked === undefined ? allowed : intersectGrants(parseGrant(asked), allowed);
  const prefix = defeatsExactCommands(grant);
  if (prefix !== undefined) {
    throw misconfigured(
      `The application's \`authorize\` gave an exact list of commands together with write access to ${prefix}, from where what they run can be changed. Grant 'run', or fewer files.`,
    );
  }
  return grant;
}
