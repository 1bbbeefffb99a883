import { type E2BEdgeError, NotFoundError } from '../errors.js';
import type { Grant, Session } from '../wire/session.js';
import { parseSession } from '../wire/session.js';
import type { FetchLike } from './authorized-fetch.js';
import type { CallOptions } from './call-options.js';
import { callback, callRules, check, checkOptions, oneOf, type Rules, text } from './check-options.js';
import { isHeaders } from './client-options.js';
import { withDeadline } from './deadline.js';
import { fetchFailed } from './fetch-failure.js';
import { httpError, readJson } from './http-error.js';
import { absoluteUrl } from './session-credential.js';

/** What to ask a broker for. */
export interface FetchSessionOptions extends CallOptions {
  /** A sandbox of yours that is to be used again. Without it the broker makes one. */
  sandboxId?: string | undefined;
  /** What is wanted; the broker grants at most what your application allows. Default: all that it allows. */
  grant?: Grant | undefined;
  /** Sent along, for your application's own `authorize`. */
  headers?: Record<string, string>;
  /** Whether cookies go along, as in `fetch`. Default `same-origin`. */
  credentials?: 'omit' | 'same-origin' | 'include';
  fetch?: FetchLike;
}

const rules: Rules<FetchSessionOptions> = {
  ...callRules,
  sandboxId: text,
  grant: ['an object', (value) => Object(value) === value],
  headers: ['an object of texts that headers can carry', isHeaders],
  credentials: oneOf('omit', 'same-origin', 'include'),
  fetch: callback,
};

/**
 * Asks a broker for a session.
 *
 * <!-- example: page -->
 * ```ts
 * const sandbox = await Sandbox.connect({ session: ({ sandboxId }) => fetchSession('/api/sandbox', { sandboxId }) })
 * ```
 * @param brokerUrl where the broker is mounted; it may be relative to the page.
 * @throws {AuthenticationError} the application does not know the caller.
 * @throws {PermissionDeniedError} it does, and refuses.
 * @throws {SandboxNotFoundError} the sandbox asked for is gone, or is not the caller's.
 * @throws {NotFoundError} code `route_not_found`: no broker is mounted there.
 * @throws {ConnectionError} code `connection_failed`: the broker is not there.
 * @throws {SandboxError} code `protocol_error`: something else than a broker answered.
 */
export async function fetchSession(brokerUrl: string, options: FetchSessionOptions = {}): Promise<Session> {
  check('fetchSession: brokerUrl', brokerUrl, text);
  checkOptions('fetchSession', options, rules);
  const { sandboxId, grant, headers, credentials = 'same-origin', fetch = globalThis.fetch } = options;
  const url = absoluteUrl(`${brokerUrl.replace(/\/+$/, '')}/sessions`);
  return withDeadline(options, 'fetchSession', async (signal) => {
    const request: RequestInit = {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ sandboxId, grant }),
      signal,
      credentials,
    };
    const response = await fetch(url, request).catch((cause: unknown) => {
      throw signal.aborted ? signal.reason : fetchFailed(url, cause);
    });
    if (!response.ok) throw notMounted(url, await httpError(response, 'broker'));
    return parseSession(await readJson(response));
  });
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
