import { AuthenticationError, type E2BEdgeError, isE2BEdgeError } from '../errors.js';
import { parseSession, type Session } from '../wire/session.js';
import { absoluteUrl } from './absolute-url.js';
import type { ClientOptions } from './client-options.js';
import { fixedCredential } from './credential.js';
import { createRest } from './rest.js';

/** How long the broker may take, in milliseconds: calls wait for it. */
const timeoutMs = 10_000;

/**
 * Asks the broker for a fresh token, once: those who wait for it come again by themselves.
 * @throws {AuthenticationError} code `session_revoked`: the session was ended. `session_expired`: the broker would not
 * refresh it for another reason; a new one may be had.
 */
export async function refreshSession(session: Session, client: ClientOptions): Promise<Session> {
  const { token, urls, sandboxId } = session;
  const credential = fixedCredential({ authorization: `Bearer ${token}` });
  const rest = createRest({ baseUrl: absoluteUrl(urls.refresh), credential, client, sandboxId }, 'broker');
  try {
    const { body } = await rest({
      operation: 'session.refresh',
      method: 'POST',
      path: '',
      body: {},
      requestTimeoutMs: timeoutMs,
      idempotent: true,
      retries: 0,
    });
    return parseSession(body);
  } catch (error) {
    throw isE2BEdgeError(error) ? refused(error) : error;
  }
}

function refused(error: E2BEdgeError): E2BEdgeError {
  const { code, statusCode, message } = error;
  if (code === 'session_revoked' || (statusCode !== 401 && statusCode !== 403)) return error;
  return new AuthenticationError(`The session has ended and the broker would not renew it: ${message}`, {
    code: 'session_expired',
    cause: error,
    statusCode,
  });
}
