import type { Route } from './routes.js';

/** What was decided, for a log. It never holds a token, a key, a query, input or output. */
export interface BrokerEvent {
  /**
   * What was wanted: the route, as in the list of routes, `join` for a mint by an invitation; `unknown` where there is no
   * such route.
   */
  action: Route['name'] | 'join' | 'revoke' | 'terminal' | 'preflight' | 'unknown';
  /** `refused` is the caller's doing, `failed` is the broker's, the application's or the sandbox's. */
  outcome: 'allowed' | 'refused' | 'failed';
  /** Also in the answer, as `X-Request-Id` and in the body of an error. */
  requestId: string;
  status: number;
  /** From the request until its answer began, in milliseconds. */
  durationMs: number;
  /** The code of the error. */
  code?: string;
  /** What is behind a failure: the application's own error, or an upstream's. Also of what failed on the side. */
  cause?: unknown;
  subject?: string;
  sessionId?: string;
  sandboxId?: string;
  /** The page was given envd's own address and token. */
  direct?: true;
  /** The RPC, as `process.Process/Start`. */
  procedure?: string;
  /**
   * With the action `terminal`: what happened at a terminal after its socket was let in. Such an event has a request id
   * of its own, the status 0 and no duration.
   */
  terminal?: {
    event: 'attach' | 'detach' | 'refuse' | 'gap' | 'exit' | 'error';
    pid?: number;
    detail?: string;
  };
  /** The caller's trace, if it sent one. */
  traceparent?: string;
}
