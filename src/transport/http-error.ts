/** What an HTTP answer that is not a success means, said once for the control plane, envd and the broker. */

import {
  AuthenticationError,
  ConnectionError,
  type E2BEdgeError,
  type E2BEdgeErrorOptions,
  FileNotFoundError,
  InvalidArgumentError,
  NotEnoughSpaceError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  SandboxError,
  SandboxNotFoundError,
  ServiceBusyError,
  TimeoutError,
} from '../errors.js';

/** Who answered: it decides what a status means. */
export type AnswerFrom = 'control' | 'broker' | 'rpc' | 'files';

interface ErrorBody {
  code?: unknown;
  error_code?: unknown;
  message?: unknown;
}

/**
 * Makes an error of an answer. Reads the body, of which it takes a `message`, and a `code` where it is a text
 * (the broker's; envd and the control plane repeat the status there).
 */
export async function httpError(response: Response, from: AnswerFrom): Promise<E2BEdgeError> {
  const { status } = response;
  const body = await readBody(response);
  const message = typeof body.message === 'string' && body.message !== '' ? body.message : `HTTP ${status}`;
  const options = answerFacts(response);
  if (typeof body.code === 'string') options.code = body.code;
  // No class of its own says what such a conflict is about.
  else if ([409, 422].includes(status) && typeof body.error_code === 'string') options.code = body.error_code;
  return errorOfStatus(status, from, message, options);
}

/** What a status that is not a success means. */
export function errorOfStatus(
  status: number,
  from: AnswerFrom,
  message: string,
  options: E2BEdgeErrorOptions,
): E2BEdgeError {
  // A broker names what is gone, whatever was being done to it.
  if (options.code === 'sandbox_not_found') return new SandboxNotFoundError(message, options);
  if (options.code === 'duplicate_request') return sentTwice(options);
  if (status === 0 || (status >= 300 && status < 400)) return unexpectedRedirect(options);
  switch (status) {
    case 400:
      return new InvalidArgumentError(message, options);
    case 401:
      return new AuthenticationError(message, options);
    case 403:
      return new PermissionDeniedError(message, options);
    case 404:
      if (from === 'files') return new FileNotFoundError(message, options);
      return from === 'control'
        ? new SandboxNotFoundError(message, options)
        : new NotFoundError(message, options);
    case 429:
      return new RateLimitError(message, options);
    case 502:
      // E2B's edge gives no code of its own; a broker does, and means something else.
      if (from === 'control' || from === 'broker' || options.code !== undefined) {
        return new ConnectionError(message, { ...options, uncertain: true });
      }
      return sandboxEnded(message, options);
    case 503:
      return new ServiceBusyError(message, options);
    case 504:
      return new TimeoutError(message, { ...options, uncertain: true });
    case 507:
      return new NotEnoughSpaceError(message, options);
    default:
      return new SandboxError(`${status}: ${message}`, options);
  }
}

/**
 * E2B's edge answers 502 in the place of a sandbox that is not running. The official SDK makes it a TimeoutError,
 * and so programs expect one.
 */
export function sandboxEnded(message: string, options: E2BEdgeErrorOptions = {}): TimeoutError {
  return new TimeoutError(`The sandbox is not running: it was killed or reached its end time (${message}).`, {
    ...options,
    code: options.code ?? 'sandbox_ended',
  });
}

/**
 * Some runtimes send a request again by themselves when its connection dies. A broker takes it once: what became of the
 * first one is not known here.
 */
function sentTwice(options: E2BEdgeErrorOptions): ConnectionError {
  return new ConnectionError(
    'The connection was lost before an answer came. The request was sent again by the runtime, and taken once.',
    { ...options, code: 'connection_lost', uncertain: true },
  );
}

/** A redirect is not followed, because it would carry the credential away. A page sees it without its status. */
function unexpectedRedirect(options: E2BEdgeErrorOptions): ConnectionError {
  return new ConnectionError(
    'The server answered with a redirect, which is not followed: check the address.',
    { ...options, code: 'unexpected_redirect' },
  );
}

/** An answer that broke off. */
export function connectionLost(cause: unknown): ConnectionError {
  return new ConnectionError('The connection was lost in the middle of an answer.', {
    code: 'connection_lost',
    cause,
    uncertain: true,
  });
}

/**
 * Reads a successful answer as JSON; undefined where it is empty.
 * @throws {ConnectionError} code `connection_lost`: it broke off.
 * @throws {SandboxError} code `protocol_error`: it is something else, as the page of another server.
 */
export async function readJson(response: Response): Promise<unknown> {
  const text = await response.text().catch((cause: unknown) => {
    throw connectionLost(cause);
  });
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    const type = response.headers.get('content-type') ?? 'no content type';
    throw new SandboxError(
      `${response.url || 'The server'} answered with something that is not JSON (${type}): check the address.`,
      { code: 'protocol_error', statusCode: response.status, cause },
    );
  }
}

async function readBody(response: Response): Promise<ErrorBody> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? body : {};
  } catch {
    return {};
  }
}

/** What the head of an answer says to an error. */
export function answerFacts({ status, headers }: Response): E2BEdgeErrorOptions {
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'));
  return { statusCode: status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** `Retry-After` in seconds or as a date, in milliseconds. */
function parseRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
