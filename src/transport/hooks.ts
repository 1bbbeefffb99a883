/** What a program is told of its requests, while they are made. */

/** What all events of one call have in common. */
export interface CallEvent {
  /** The method that was called: `sandbox.create`, `commands.run`, `files.read`. */
  readonly operation: string;
  /** The same in all events of one call, and in those of no other. */
  readonly callId: string;
  /** Counts from 1; each retry is one more. */
  readonly attempt: number;
  /** Absent where the sandbox does not exist yet, or none is meant. */
  readonly sandboxId?: string;
}

/** A request is about to be sent. */
export interface RequestEvent extends CallEvent {
  readonly method: string;
  /** Without its query, which names files and may hold a signature. */
  readonly url: string;
  /**
   * Goes with the request; what is set here is sent. It holds the `headers` of the options and `traceparent`, and never a
   * credential: those, and what the protocol needs, are put on afterwards and win.
   */
  readonly headers: Headers;
}

/** The head of an answer is here, whatever its status. Of a stream or a download, the body is still to come. */
export interface ResponseEvent extends CallEvent {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  /** Since the request was sent, in milliseconds. */
  readonly durationMs: number;
}

/** An attempt failed and another one will be made. */
export interface RetryEvent extends CallEvent {
  /** Why: what the call would have failed with. */
  readonly error: Error;
  /** How long is waited before the next attempt, in milliseconds. */
  readonly delayMs: number;
}

/** A call failed, or what it had opened broke off. What a caller's `signal` ended is told here too. */
export interface ErrorEvent extends CallEvent {
  readonly error: unknown;
  /** Since the call began, in milliseconds. */
  readonly durationMs: number;
}

/**
 * Called with each event. What a hook throws, or rejects with, goes to `logger.warn` and does not concern the call.
 * Requests made with `fetch` alone are told of: not a terminal's WebSocket.
 */
export interface Hooks {
  /** Waited for where it returns a promise, within the time of the call. */
  onRequest?: (event: RequestEvent) => void | Promise<void>;
  onResponse?: (event: ResponseEvent) => void | Promise<void>;
  onRetry?: (event: RetryEvent) => void | Promise<void>;
  onError?: (event: ErrorEvent) => void | Promise<void>;
}

/** The part of `console` that is used. */
export interface Logger {
  debug?(...args: unknown[]): void;
  info?(...args: unknown[]): void;
  warn?(...args: unknown[]): void;
  error?(...args: unknown[]): void;
}
