/**
 * Errors as a page sees them: `{ code, message, requestId }` with the HTTP status. Connect clients read the same
 * body for unary calls. On a streaming procedure they read no body but of status 200, so there a refusal of the call
 * itself (its `code` is one of Connect's) is the end of a stream, as envd does it; a refusal of the session or of
 * the sandbox stays an HTTP answer, on which a page refreshes or starts afresh.
 */

import { type E2BEdgeError, isE2BEdgeError, SandboxError } from '../errors.js';
import { connectCodeNumber } from '../wire/connect-code.js';
import { encodeEnvelope, endStreamFlag } from '../wire/envelope.js';
import type { StreamContentType } from './rpc-message.js';

/** What is answered for an error; all that the broker did not say itself is an `internal` without a word of it. */
export function errorResponse(error: unknown, requestId: string, stream?: StreamContentType): Response {
  const refusal = asRefusal(error);
  const status = refusal.statusCode ?? 500;
  const { code, message, retryAfterMs } = refusal;
  if (stream && status !== 401 && connectCodeNumber(code) > 0) {
    const end = new TextEncoder().encode(JSON.stringify({ error: { code, message } }));
    return new Response(encodeEnvelope(endStreamFlag, end), { headers: { 'content-type': stream } });
  }
  const headers = new Headers({ 'content-type': 'application/json' });
  if (status === 401) headers.set('www-authenticate', 'Bearer');
  if (retryAfterMs !== undefined) headers.set('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  return new Response(JSON.stringify({ code, message, requestId }), { status, headers });
}

/** The error as it may be shown: those with an HTTP status are the broker's own. */
export function asRefusal(error: unknown): E2BEdgeError {
  if (isE2BEdgeError(error) && error.statusCode !== undefined) return error;
  return new SandboxError('The broker failed; its log has more under this request id.', {
    code: 'internal',
    statusCode: 500,
    cause: error,
  });
}
