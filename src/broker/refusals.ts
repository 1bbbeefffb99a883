/**
 * Every reason for which a broker says no, in its own words. Each has a stable `code` and the HTTP status; none tells
 * anything of keys, tokens, other people's sandboxes, or what an upstream said.
 */

import {
  AuthenticationError,
  ConnectionError,
  type E2BEdgeError,
  type E2BEdgeErrorOptions,
  InvalidArgumentError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  SandboxError,
  SandboxNotFoundError,
  ServiceBusyError,
} from '../errors.js';
import { safeCause } from './safe-cause.js';

/** 401: there is no token, or it is not one of ours. Why not is not said. */
export function unauthenticated(): E2BEdgeError {
  return new AuthenticationError('The session token is missing or not valid: start a session anew.', {
    code: 'unauthenticated',
    statusCode: 401,
  });
}

/** 401: the token was good and its time is over; a refresh helps. */
export function tokenExpired(): E2BEdgeError {
  return new AuthenticationError('The session token has run out: refresh it.', {
    code: 'token_expired',
    statusCode: 401,
  });
}

/** 401: the session's absolute life is over; only a new session helps. */
export function sessionExpired(): E2BEdgeError {
  return new AuthenticationError('The session is over: start a new one.', {
    code: 'session_expired',
    statusCode: 401,
  });
}

/** 401: the session was ended before its time; a new one is for the application to allow. */
export function sessionRevoked(): E2BEdgeError {
  return new AuthenticationError('The session was ended: sign in again.', {
    code: 'session_revoked',
    statusCode: 401,
  });
}

/** 403: the application said no. */
export function sessionRefused(): E2BEdgeError {
  return new PermissionDeniedError(
    'The application does not allow this session. Signing in again may help.',
    {
      code: 'session_refused',
      statusCode: 403,
    },
  );
}

/** 403: an invitation that is none, or is used up, or over. Which of them is not said. */
export function invitationInvalid(): E2BEdgeError {
  return new PermissionDeniedError('The invitation is not valid, or not any more: ask for a new one.', {
    code: 'invitation_invalid',
    statusCode: 403,
  });
}

/** 409: the same request is being answered. */
export function mintInProgress(): E2BEdgeError {
  return new SandboxError('A session with this Idempotency-Key is just being made: ask again.', {
    code: 'idempotency_in_progress',
    statusCode: 409,
    retryAfterMs: 1000,
  });
}

/** 409: the key was used for something else. */
export function mintKeyReused(): E2BEdgeError {
  return new SandboxError('This Idempotency-Key was used for another request: take a new one.', {
    code: 'idempotency_key_reused',
    statusCode: 409,
  });
}

/** 403: the application hands envd's own token to no page. */
export function directNotAllowed(): E2BEdgeError {
  return new PermissionDeniedError('The application does not allow direct sessions.', {
    code: 'direct_not_allowed',
    statusCode: 403,
  });
}

/** 403: the session does not cover the call. */
export function notGranted(what: string): E2BEdgeError {
  return new PermissionDeniedError(`This session may not ${what}.`, {
    code: 'permission_denied',
    statusCode: 403,
  });
}

/** 403: the page is not one that may use the broker. */
export function originNotAllowed(): E2BEdgeError {
  return new PermissionDeniedError("This page's origin is not among the broker's `origins`.", {
    code: 'origin_not_allowed',
    statusCode: 403,
  });
}

/** 404: the same for a sandbox that never was, that ended, and that is another's. */
export function sandboxNotFound(statusCode = 404): E2BEdgeError {
  return new SandboxNotFoundError('There is no such sandbox, or no longer: start a session anew.', {
    statusCode,
  });
}

/** 503: the sandbox is there, but not for calls. */
export function sandboxBusy(options: E2BEdgeErrorOptions = {}): E2BEdgeError {
  return new ServiceBusyError('The sandbox is just changing its state: try again.', {
    ...options,
    code: 'service_busy',
    statusCode: 503,
  });
}

/** 409: the sandbox sleeps, and the call does not wake it. */
export function sandboxPaused(): E2BEdgeError {
  return new SandboxError('The sandbox is paused: resume it first.', {
    code: 'sandbox_paused',
    statusCode: 409,
  });
}

/** 404: no such process among those of this session. The words are envd's. */
export function processNotFound(pid: number): E2BEdgeError {
  return new NotFoundError(`process with pid ${pid} not found`, { code: 'not_found', statusCode: 404 });
}

/** 404: no such route. */
export function routeNotFound(): E2BEdgeError {
  return new NotFoundError('The broker has no such route.', { code: 'route_not_found', statusCode: 404 });
}

/** 400: the request is wrong, and how. */
export function invalidRequest(message: string, code = 'invalid_argument'): E2BEdgeError {
  return new InvalidArgumentError(message, { code, statusCode: 400 });
}

/** 400: what a session may do is said in a way that cannot be used. */
export function invalidGrant(what: string): E2BEdgeError {
  return invalidRequest(`Not a grant: ${what}.`, 'invalid_grant');
}

/** How soon one who was turned away because of a limit may come again, in milliseconds. */
const retryAfterMs = 2_000;

/** 429: as many of a kind are open as may be. */
export function tooMany(kind: string): E2BEdgeError {
  return new RateLimitError(`There are too many ${kind}s at once. Close one, or come again later.`, {
    code: `too_many_${kind}s`,
    statusCode: 429,
    retryAfterMs,
  });
}

/** 429: too often within a minute. */
export function tooSoon(afterMs: number): E2BEdgeError {
  return new RateLimitError('This was asked for too often within a minute: try again later.', {
    code: 'rate_limited',
    statusCode: 429,
    retryAfterMs: Math.max(afterMs, 1),
  });
}

/** 405, 413, 415, 426, 501: HTTP's own ways to say no. */
export function httpRefusal(statusCode: number, code: string, message: string): E2BEdgeError {
  return new SandboxError(message, { code, statusCode });
}

/** 502: the sandbox or the control plane cannot be reached, or answered what cannot be used. */
export function upstreamFailed(cause?: unknown): E2BEdgeError {
  return new ConnectionError(
    'The sandbox service could not be reached, or gave no usable answer: try again.',
    {
      code: 'upstream_unavailable',
      statusCode: 502,
      ...(cause !== undefined && { cause: safeCause(cause) }),
    },
  );
}

/** 500: what the application gave to the broker cannot be used. What is wrong is for the log alone. */
export function misconfigured(what: string, cause?: unknown): E2BEdgeError {
  return new SandboxError('The broker is not set up rightly; its log has more under this request id.', {
    code: 'broker_misconfigured',
    statusCode: 500,
    cause: new Error(cause instanceof Error ? `${what}: ${cause.message}` : what, { cause }),
  });
}
