import { SandboxError, TimeoutError } from '../../errors.js';

export function poolClosed(): SandboxError {
  return new SandboxError('The pool is closed.', { code: 'pool_closed' });
}

export function poolCreateFailed(cause: unknown): SandboxError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SandboxError(`The pool could not create a sandbox: ${why}`, {
    code: 'pool_create_failed',
    cause,
  });
}

/** @param cause the last failure to create one, where that is what is missing. */
export function poolTimeout(timeoutMs: number, leased: number, max: number, cause: unknown): TimeoutError {
  return new TimeoutError(
    `No sandbox of the pool was free within ${timeoutMs} ms: ${leased} of at most ${max} are in use.`,
    { code: 'pool_timeout', ...(cause !== undefined && { cause }) },
  );
}

/** For `onError`: no caller sees it. */
export function stepTimeout(limitMs: number): TimeoutError {
  return new TimeoutError(
    `It took more than ${limitMs} ms. Pass a longer stepTimeoutMs, or 0 for no limit.`,
    {
      code: 'pool_step_timeout',
    },
  );
}
