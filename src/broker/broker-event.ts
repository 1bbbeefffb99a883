import type { StreamEnd } from './guarded-stream.js';
import type { Route } from './routes.js';

/** What was decided, for a log. It never holds a token, a key, a query, input or output. */
export interface BrokerEvent {
  /**
   * What was wanted: the route, as in the list of routes, `join` for a mint by an invitation; `unknown` where there is no
   * such route.
   */
  action: Route['name'] | 'join' | 'revoke' | 'terminal' | 'stream_end' | 'preview' | 'preflight' | 'unknown';
  /** `refused` is the caller's doing, `failed` is the broker's, the application's or the sandbox's. */
  outcome: 'allowed' | 'refused' | 'failed';
  /** Also in the answer, as `X-Request-Id` and in the body of an error. */
  requestId: string;
  status: number;
  /** From the request until its answer began, in milliseconds; with the action `stream_end`, how long it was open. */
  durationMs: number;
  /** The code of the error. */
  code?: string;
  /**
   * What is behind a failure. It is the application's own error where `authorize`, an option or the store threw: what is
   * secret in that, is secret here. Of an upstream's it holds no headers and no query. Also of what failed on the side.
   */
  cause?: unknown;
  subject?: string;
  sessionId?: string;
  sandboxId?: string;
  /** The page was given envd's own address and token. */
  direct?: true;
  /** The preview's port. */
  port?: number;
  /** The RPC, as `process.Process/Start`. */
  procedure?: string;
  /**
   * With the action `terminal`: what happened at a terminal after its socket was let in. Such an event has a request id
   * of its own, the status 0, and with `detach` the duration of the visit.
   */
  terminal?: {
    event: 'attach' | 'detach' | 'takeover' | 'refuse' | 'gap' | 'exit' | 'error';
    pid?: number;
    detail?: string;
  };
  /**
   * With the action `stream_end`, which follows once for each stream, download and preview that was let through: how it
   * ended. `done` is its own end, `left` the caller's, `cut` that of its session (with the code), `broken` the sandbox's;
   * an `abandoned` one was never read. Such an event has the request id of its beginning, and the status 0.
   */
  end?: StreamEnd;
  /** With the action `stream_end`: the action that began it. */
  of?: BrokerEvent['action'];
  /**
   * With the action `stream_end`, and of a terminal's `detach`: the bytes that the caller got. On Workers not of a file that
   * ended before its end.
   */
  sentBytes?: number;
  /** With the action `upload`, and of a terminal's `detach`: the bytes that came from the caller. */
  receivedBytes?: number;
  /** The caller's trace, if it sent one. */
  traceparent?: string;
}
