import { Code, ConnectError } from '@connectrpc/connect';

/** Timers go no further; a later end is left to the server, which has the limit too. */
const longestTimerMs = 2 ** 31 - 1;

/** The signal of a stream that may last only so long. */
export interface StreamLimit {
  readonly signal: AbortSignal;
  /** The stream is over, or given up: nothing waits any more. */
  end(): void;
  /** What has gone wrong, where the time's end is what made it go wrong. */
  reason(error: unknown): unknown;
}

/**
 * Limits a stream to `timeoutMs`; 0 or `undefined` is no limit. connect's own limit is not used: it keeps its timer
 * until the stream was read to its end, and an aborted stream cannot always be read. The timer kept programs running.
 */
export function startStreamLimit(outer: AbortSignal | undefined, timeoutMs: number | undefined): StreamLimit {
  const controller = new AbortController();
  const timeout = new ConnectError('the operation timed out', Code.DeadlineExceeded);
  const timer =
    timeoutMs !== undefined && timeoutMs > 0 && timeoutMs <= longestTimerMs
      ? setTimeout(() => controller.abort(timeout), timeoutMs)
      : undefined;
  const end = (): void => {
    clearTimeout(timer);
    outer?.removeEventListener('abort', follow);
  };
  const follow = (): void => {
    end();
    controller.abort(outer?.reason);
  };
  if (outer?.aborted) follow();
  else outer?.addEventListener('abort', follow);
  return {
    signal: controller.signal,
    end,
    reason: (error) => (controller.signal.reason === timeout ? timeout : error),
  };
}
