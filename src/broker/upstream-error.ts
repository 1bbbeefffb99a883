/** What a sandbox's refusal becomes for the page: envd's code and words, or the broker's words for E2B's edge. */

import { type E2BEdgeError, type E2BEdgeErrorOptions, RateLimitError, SandboxError } from '../errors.js';
import { connectCodeNumber } from '../wire/connect-code.js';
import { readAnswer } from './read-body.js';
import { sandboxBusy, sandboxNotFound, sandboxPaused, upstreamFailed } from './refusals.js';

/** envd's answers on files that a page can do something about; the rest is not for it to read. */
const fileErrors: Record<number, string> = {
  400: 'invalid_argument',
  404: 'file_not_found',
  406: 'not_acceptable',
  416: 'range_not_satisfiable',
  507: 'not_enough_space',
};
const maxBodyBytes = 64 * 1024;
const maxMessageLength = 500;

/**
 * Reads an answer that is not a success.
 * @param of what was asked for: errors of files have no code of their own but the status.
 */
export async function upstreamError(response: Response, of: 'rpc' | 'file'): Promise<E2BEdgeError> {
  const { status } = response;
  const body = await readJson(response);
  const message =
    typeof body.message === 'string' ? body.message.slice(0, maxMessageLength) : `HTTP ${status}`;
  if (status === 401) return upstreamFailed(new Error('envd refused its token'));
  if (status === 502 && body.sandboxId !== undefined && body.port === undefined) return sandboxNotFound(502);
  // E2B's edge: it sleeps, and this call may not wake it, as where its memory was not kept.
  if (status === 403 && body.sandboxId !== undefined) return sandboxPaused();
  if (typeof body.code === 'string' && connectCodeNumber(body.code) > 0) {
    return new SandboxError(message, { code: body.code, statusCode: status });
  }
  const fileCode = of === 'file' ? fileErrors[status] : undefined;
  if (fileCode !== undefined) return new SandboxError(message, { code: fileCode, statusCode: status });
  if (status === 429) {
    const busy = 'The sandbox is asked for too much: try again later.';
    return new RateLimitError(busy, { code: 'rate_limited', statusCode: 429, ...retryAfter(response) });
  }
  if (status === 409 || status === 503) return sandboxBusy(retryAfter(response));
  return upstreamFailed(new Error(`HTTP ${status}: ${message}`));
}

function retryAfter(response: Response): E2BEdgeErrorOptions {
  const seconds = response.headers.get('retry-after');
  return seconds !== null && /^\d{1,6}$/.test(seconds) ? { retryAfterMs: Number(seconds) * 1000 } : {};
}

async function readJson(
  response: Response,
): Promise<{ code?: unknown; message?: unknown; sandboxId?: unknown; port?: unknown }> {
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(await readAnswer(response, maxBodyBytes)));
    return typeof body === 'object' && body !== null ? body : {};
  } catch {
    return {};
  }
}
