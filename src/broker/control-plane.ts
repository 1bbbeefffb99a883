/** The control plane as a page may see it: not its words, and not what is wrong with the API key. */

import {
  AuthenticationError,
  E2BEdgeError,
  PermissionDeniedError,
  RateLimitError,
  SandboxNotFoundError,
  ServiceBusyError,
} from '../errors.js';
import { misconfigured, sandboxNotFound, upstreamFailed } from './refusals.js';
import { safeCause } from './safe-cause.js';

/** Makes a call to the control plane, and its errors the broker's own. */
export async function askControlPlane<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw controlPlaneError(error);
  }
}

function controlPlaneError(error: unknown): E2BEdgeError {
  if (error instanceof SandboxNotFoundError) return sandboxNotFound();
  // Trying again does not help. The control plane's own words may repeat the key.
  if (error instanceof AuthenticationError || error instanceof PermissionDeniedError) {
    return misconfigured(`The control plane refused the API key (HTTP ${error.statusCode})`);
  }
  const retryAfterMs = error instanceof E2BEdgeError ? error.retryAfterMs : undefined;
  const options = { cause: safeCause(error), ...(retryAfterMs !== undefined && { retryAfterMs }) };
  if (error instanceof RateLimitError) {
    return new RateLimitError('The sandbox service is asked for too much: try again later.', {
      ...options,
      code: 'rate_limited',
      statusCode: 429,
    });
  }
  if (error instanceof ServiceBusyError) {
    return new ServiceBusyError('The sandbox service has no room at the moment: try again later.', {
      ...options,
      code: 'service_busy',
      statusCode: 503,
    });
  }
  return upstreamFailed(error);
}
