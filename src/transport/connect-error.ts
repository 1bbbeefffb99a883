import {
  AuthenticationError,
  type E2BEdgeError,
  type E2BEdgeErrorOptions,
  InvalidArgumentError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  SandboxError,
  TimeoutError,
} from '../errors.js';
import { connectCodeNumber } from '../wire/connect-code.js';
import { connectionLost } from './http-error.js';

/**
 * Makes an error of what Connect says in the place of an answer: `{ code, message, details }`, kept as the cause. One
 * without a code that is known counts as `unknown`.
 */
export function connectError(body: unknown, facts: E2BEdgeErrorOptions = {}): E2BEdgeError {
  const said = Object(body) as { code?: unknown; message?: unknown };
  const code = connectCodeNumber(said.code) > 0 ? (said.code as string) : 'unknown';
  const message = typeof said.message === 'string' ? said.message : '';
  const options = { ...facts, cause: body };
  switch (code) {
    case 'invalid_argument':
      return new InvalidArgumentError(message, options);
    case 'unauthenticated':
      return new AuthenticationError(message, options);
    case 'permission_denied':
      return new PermissionDeniedError(message, options);
    case 'not_found':
      return new NotFoundError(message, options);
    case 'resource_exhausted':
      return new RateLimitError(message, options);
    case 'deadline_exceeded':
      return commandTimeout(options);
    case 'unavailable':
    case 'canceled':
      return connectionLost(body);
    default:
      return new SandboxError(`${connectCodeNumber(code)}: ${message}`, { ...options, code });
  }
}

/** A stream, and with it its process, lasted as long as it might. */
export function commandTimeout(options?: E2BEdgeErrorOptions): TimeoutError {
  return new TimeoutError('The time given by timeoutMs is over.', { ...options, code: 'command_timeout' });
}
