import { type E2BEdgeError, isE2BEdgeError, NotFoundError } from '../errors.js';
import {
  type DirectSession,
  type Grant,
  parseDirectSession,
  parseSession,
  type Session,
} from '../wire/session.js';
import { absoluteUrl } from './absolute-url.js';
import type { FetchLike } from './authorized-fetch.js';
import { type CallOptions, callOptions } from './call-options.js';
import { callback, callRules, check, checkOptions, flag, oneOf, type Rules, text } from './check-options.js';
import { isHeaders } from './client-options.js';
import { fixedCredential } from './credential.js';
import { createRest } from './rest.js';

/** What to ask a broker for. */
export interface FetchSessionOptions extends CallOptions {
  /** A sandbox of yours that is to be used again. Without it the application decides, as a rule for a new one. */
  sandboxId?: string | undefined;
  /** What is wanted; the broker grants at most what your application allows. Default: all that it allows. */
  grant?: Grant | undefined;
  /** What another person's session gave out (`sandbox.invite`): the session is for that one's sandbox. */
  invitation?: string | undefined;
  /**
   * Names the request, with up to 64 letters, digits, `-` and `_`: who asks again with the same name gets the same
   * session, and no second sandbox. Default: a new one for each call, whose own retries are covered by it.
   */
  idempotencyKey?: string;
  /** Sent along, for your application's own `authorize`. */
  headers?: Record<string, string>;
  /** Whether cookies go along, as in `fetch`. Default `same-origin`. */
  credentials?: 'omit' | 'same-origin' | 'include';
  fetch?: FetchLike;
}

/** What to ask a broker for that is to hand out the sandbox itself. */
export interface FetchDirectSessionOptions extends FetchSessionOptions {
  /**
   * envd's own address and token, which open the whole sandbox and cannot be taken back. Only where your application
   * allows it by `dangerouslyAllowDirect`.
   */
  direct: true;
}

const rules: Rules<FetchDirectSessionOptions> = {
  ...callRules,
  sandboxId: text,
  grant: ['an object', (value) => Object(value) === value],
  invitation: text,
  direct: flag,
  idempotencyKey: [
    'from 1 to 64 letters, digits, - and _',
    (value) => typeof value === 'string' && /^[\w-]{1,64}$/.test(value),
  ],
  headers: ['an object of texts that headers can carry', isHeaders],
  credentials: oneOf('omit', 'same-origin', 'include'),
  fetch: callback,
};

/**
 * Asks a broker for a session. A request whose answer is lost, or that is refused for now, is made again: the broker knows
 * it by its name and gives what it gave before.
 *
 * <!-- example: page -->
 * ```ts
 * const sandbox = await Sandbox.connect({ session: ({ sandboxId }) => fetchSession('/api/sandbox', { sandboxId }) })
 * ```
 * @param brokerUrl where the broker is mounted; it may be relative to the page.
 * @throws {AuthenticationError} the application does not know the caller.
 * @throws {PermissionDeniedError} it does, and refuses. Code `invitation_invalid`: the invitation is none, was used up, or
 * its time is over. `direct_not_allowed`.
 * @throws {SandboxNotFoundError} the sandbox asked for is gone, or is not the caller's.
 * @throws {NotFoundError} code `route_not_found`: no broker is mounted there.
 * @throws {ConnectionError} code `connection_failed`: the broker is not there.
 * @throws {SandboxError} code `protocol_error`: something else than a broker answered.
 */
export function fetchSession(brokerUrl: string, options: FetchDirectSessionOptions): Promise<DirectSession>;
export function fetchSession(brokerUrl: string, options?: FetchSessionOptions): Promise<Session>;
export async function fetchSession(
  brokerUrl: string,
  options: FetchSessionOptions & Partial<FetchDirectSessionOptions> = {},
): Promise<Session | DirectSession> {
  check('fetchSession: brokerUrl', brokerUrl, text);
  checkOptions<Partial<FetchDirectSessionOptions>>('fetchSession', options, rules);
  const { sandboxId, grant, invitation, direct, idempotencyKey = crypto.randomUUID() } = options;
  const { headers, credentials = 'same-origin', fetch = globalThis.fetch } = options;
  const url = absoluteUrl(`${brokerUrl.replace(/\/+$/, '')}/sessions`);
  const rest = createRest(
    {
      baseUrl: url,
      credential: fixedCredential({}),
      client: { fetch: (address, init) => fetch(address, { ...init, credentials }) },
    },
    'broker',
  );
  try {
    const { body } = await rest({
      ...callOptions(options),
      operation: 'fetchSession',
      method: 'POST',
      path: '',
      headers: { ...headers, 'idempotency-key': idempotencyKey },
      body: { sandboxId, grant, invitation, ...(direct && { direct }) },
      idempotent: true,
    });
    return direct ? parseDirectSession(body) : parseSession(body);
  } catch (error) {
    throw isE2BEdgeError(error) ? notMounted(url, error) : error;
  }
}

/** The likeliest mistake of a first try, in words that name the address. */
function notMounted(url: string, error: E2BEdgeError): E2BEdgeError {
  if (error.statusCode !== 404 || error.code === 'sandbox_not_found') return error;
  return new NotFoundError(`No broker answers at ${url}: check the address, and the broker's basePath.`, {
    code: 'route_not_found',
    statusCode: 404,
    cause: error,
  });
}
