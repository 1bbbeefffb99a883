/**
 * Every error that e2b-edge throws, and nothing else. The names and the relations between them are those of
 * the official `e2b` package (`AuthenticationError` is not a `SandboxError` there either); what is added is
 * one base class, a stable `code`, and the `cause`.
 */

/** What an error can be told beside its message. */
export interface E2BEdgeErrorOptions {
  /** Stable, machine-readable; it names the case more exactly than the class does. */
  code?: string;
  /** What was caught underneath. */
  cause?: unknown;
  /** The HTTP status, where an answer was had. */
  statusCode?: number;
  /** How long to wait before trying again, in milliseconds, where the server said so. */
  retryAfterMs?: number;
  /** See `E2BEdgeError.retryable`. Default false, but for `RateLimitError` and `ServiceBusyError`. */
  retryable?: boolean;
  /** See `E2BEdgeError.uncertain`. Default false. */
  uncertain?: boolean;
}

const brand = /*@__PURE__*/ Symbol.for('e2b-edge.error');

/** The base of all errors of this package. */
export class E2BEdgeError extends Error {
  override name = 'E2BEdgeError';
  /** Stable, machine-readable, `snake_case`: branch on this, not on the message. */
  readonly code: string;
  /** The HTTP status, where an answer was had. */
  declare readonly statusCode?: number;
  /** How long to wait before trying again, in milliseconds, where the server said so. */
  declare readonly retryAfterMs?: number;
  /** Whether the same call may be made again without harm, and may work then. */
  readonly retryable: boolean;
  /**
   * Whether what was asked for may have been done all the same: the request was, or may have been, on its way, and no
   * answer said what became of it.
   */
  readonly uncertain: boolean;
  /** How often the request was sent, or tried to be; absent where none was. */
  declare readonly attempts?: number;

  constructor(message?: string, options: E2BEdgeErrorOptions = {}, code = 'error') {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = options.code ?? code;
    if (options.statusCode !== undefined) this.statusCode = options.statusCode;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
    this.retryable = options.retryable ?? false;
    this.uncertain = options.uncertain ?? false;
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * Whether a value is an error of this package, also when it came from another copy of it or another realm.
 * With a `code`, whether it is exactly that case.
 */
export function isE2BEdgeError(value: unknown, code?: string): value is E2BEdgeError {
  return (
    typeof value === 'object' &&
    value !== null &&
    brand in value &&
    (!code || (value as { code?: unknown }).code === code)
  );
}

/** Something about a sandbox failed and no narrower class fits. */
export class SandboxError extends E2BEdgeError {
  override name = 'SandboxError';
  constructor(message?: string, options?: E2BEdgeErrorOptions, code = 'sandbox_error') {
    super(message, options, code);
  }
}

/**
 * A time limit passed. Codes: `request_timeout`, `command_timeout`, `watch_timeout`, `stream_idle`, `pool_timeout`,
 * `pool_step_timeout`; and `sandbox_ended`, which is one in the official SDK.
 */
export class TimeoutError extends SandboxError {
  override name = 'TimeoutError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, options, 'request_timeout');
  }
}

/** The call itself was wrong. Code `invalid_argument`, or one that names the argument, as `invalid_session`. */
export class InvalidArgumentError extends SandboxError {
  override name = 'InvalidArgumentError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, options, 'invalid_argument');
  }
}

/** The sandbox's disk is full. */
export class NotEnoughSpaceError extends SandboxError {
  override name = 'NotEnoughSpaceError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, options, 'not_enough_space');
  }
}

/** Too many requests; `retryAfterMs` says when to come back, where the server did. */
export class RateLimitError extends SandboxError {
  override name = 'RateLimitError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, { retryable: true, ...options }, 'rate_limited');
  }
}

/** The sandbox's template is too old for the call: build it again with a current envd. */
export class TemplateError extends SandboxError {
  override name = 'TemplateError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, options, 'template_error');
  }
}

/** A thing that was named does not exist. Codes: `not_found`, `process_not_found`, `template_not_found`. */
export class NotFoundError extends SandboxError {
  override name = 'NotFoundError';
  constructor(message?: string, options?: E2BEdgeErrorOptions, code = 'not_found') {
    super(message, options, code);
  }
}

/** No such file or directory in the sandbox. */
export class FileNotFoundError extends NotFoundError {
  override name = 'FileNotFoundError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, options, 'file_not_found');
  }
}

/** No such sandbox: the id is wrong, or it was killed or reached its end time. */
export class SandboxNotFoundError extends NotFoundError {
  override name = 'SandboxNotFoundError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, options, 'sandbox_not_found');
  }
}

/** What the caller is known as may not do this. For sessions: the grant does not cover it. */
export class PermissionDeniedError extends SandboxError {
  override name = 'PermissionDeniedError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, options, 'permission_denied');
  }
}

/**
 * The other side could not be reached (`connection_failed`), or went away after it was (`connection_lost`). With a session
 * also `session_unavailable`: it has run out, and its function failed.
 *
 * Whether the request may have been executed all the same is in `uncertain`. A connection that was never made is not:
 * but a web page is not told so much, and there `connection_failed` is uncertain too.
 */
export class ConnectionError extends SandboxError {
  override name = 'ConnectionError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, options, 'connection_failed');
  }
}

/** A Git branch has no upstream to push to or pull from. */
export class GitUpstreamError extends SandboxError {
  override name = 'GitUpstreamError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, options, 'git_upstream_missing');
  }
}

/** How a command ended. */
export interface CommandResult {
  /** The exit status; -1 when a signal ended it. */
  exitCode: number;
  /** envd's words for an end other than exit status 0, such as `signal: killed`. */
  error?: string;
  stdout: string;
  stderr: string;
  /** How often output is missing, because nobody listened for a while; absent where none is. */
  gaps?: number;
  /** How much output was let go because of `maxRetainedBytes`, in bytes; absent where none was. */
  dropped?: { stdout: number; stderr: number };
}

/** A command ended with an exit code other than 0. */
export class CommandExitError extends SandboxError implements CommandResult {
  override name = 'CommandExitError';
  readonly exitCode: number;
  readonly error?: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly gaps?: number;
  readonly dropped?: { stdout: number; stderr: number };

  constructor(result: CommandResult) {
    super(result.error || `command exited with code ${result.exitCode}`, {}, 'command_exit');
    this.exitCode = result.exitCode;
    if (result.error !== undefined) this.error = result.error;
    this.stdout = result.stdout;
    this.stderr = result.stderr;
    if (result.gaps !== undefined) this.gaps = result.gaps;
    if (result.dropped !== undefined) this.dropped = result.dropped;
  }
}

/**
 * The credential is missing or was refused. Codes: `api_key_missing`, `api_key_malformed`, `api_key_in_browser`,
 * `unauthenticated`, `session_expired`, `session_refused`; and `session_revoked`, after which a session is over for good.
 */
export class AuthenticationError extends E2BEdgeError {
  override name = 'AuthenticationError';
  constructor(message?: string, options?: E2BEdgeErrorOptions, code = 'unauthenticated') {
    super(message, options, code);
  }
}

/** A remote Git repository refused the credentials, or wants some. */
export class GitAuthError extends AuthenticationError {
  override name = 'GitAuthError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, options, 'git_unauthenticated');
  }
}

/** The service has no capacity at the moment (HTTP 503); trying again later may work. */
export class ServiceBusyError extends E2BEdgeError {
  override name = 'ServiceBusyError';
  constructor(message?: string, options?: E2BEdgeErrorOptions) {
    super(message, { retryable: true, ...options }, 'service_busy');
  }
}
