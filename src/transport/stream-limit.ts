import { maxTimerMs } from './call-options.js';
import { commandTimeout } from './connect-error.js';

/** The signal of a stream that may last only so long. */
export interface StreamLimit {
  readonly signal: AbortSignal;
  /** The stream is over, or given up: nothing waits any more. */
  end(): void;
  /** What has gone wrong, where the time's end is what made it go wrong. */
  reason(error: unknown): unknown;
}

/** Limits a stream to `timeoutMs`; 0 is no limit. */
export function startStreamLimit(outer: AbortSignal | undefined, timeoutMs: number): StreamLimit {
  const controller = new AbortController();
  let isOver = false;
  const expire = (): void => {
    isOver = true;
    controller.abort(commandTimeout());
  };
  // An end that no timer reaches is left to the server, which has the limit too.
  const timer = timeoutMs > 0 && timeoutMs <= maxTimerMs ? setTimeout(expire, timeoutMs) : undefined;
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
    reason: (error) => (isOver ? controller.signal.reason : error),
  };
}
