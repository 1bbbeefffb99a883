/** What E2B's proxy says in the place of an app that is not there, in the broker's words. */

import type { E2BEdgeError } from '../../errors.js';
import { discard, readAnswer } from '../read-body.js';
import { httpRefusal, sandboxBusy, sandboxNotFound, upstreamFailed } from '../refusals.js';
import type { PreviewTarget } from './preview-target.js';

const statuses: readonly number[] = [403, 409, 429, 502, 503];
const maxBytes = 4096;

/**
 * Undefined for an answer of the app's own, whose body is left as it was.
 * @param probe asks again in a way to which the proxy answers with JSON.
 */
export async function previewFailure(
  response: Response,
  target: PreviewTarget,
  probe: () => Promise<Response>,
): Promise<E2BEdgeError | undefined> {
  const { status, headers } = response;
  // Of what is too long for the proxy's, no copy is begun: it would be kept whole.
  if (!statuses.includes(status) || Number(headers.get('content-length')) > maxBytes) return undefined;
  const type = headers.get('content-type') ?? '';
  let failure: E2BEdgeError | undefined;
  if (type.includes('json')) failure = await readFailure(response.clone(), target);
  else if (status === 502 && type.includes('html')) failure = await readFailure(await probe(), target);
  if (failure) await discard(response);
  return failure;
}

async function readFailure(
  response: Response,
  { sandboxId, port }: PreviewTarget,
): Promise<E2BEdgeError | undefined> {
  const { status } = response;
  let body: { sandboxId?: unknown; port?: unknown; message?: unknown };
  try {
    body = Object(JSON.parse(new TextDecoder().decode(await readAnswer(response, maxBytes))));
  } catch {
    return undefined;
  }
  if (body.sandboxId !== sandboxId || typeof body.message !== 'string') return undefined;
  if (status === 409 || status === 429 || status === 503) {
    return sandboxBusy();
  }
  if (status !== 502) return upstreamFailed(new Error(`HTTP ${status}: ${body.message}`));
  return body.port === undefined ? sandboxNotFound(502) : portClosed(port);
}

/** 502: nothing answers at the port. */
export function portClosed(port: number): E2BEdgeError {
  return httpRefusal(
    502,
    'port_closed',
    `Nothing answers at port ${port} of the sandbox: start a service there that speaks HTTP.`,
  );
}
