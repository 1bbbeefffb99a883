import type { ServerResponse } from 'node:http';

/** An answer other than success, in the control plane's words: the body repeats the status as a number. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  /** For programs, where upstream has such a name. */
  readonly errorCode: string | undefined;

  constructor(status: number, message: string, errorCode?: string) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
  }
}

export function replyJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
  response.end(JSON.stringify(body));
}

export function replyError(response: ServerResponse, status: number, message: string): void {
  replyJson(response, status, { code: status, message });
}

/** Answers a failure as what it is: an `ApiError`, or 500. */
export function replyFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy();
  else if (error instanceof ApiError) {
    const { status, message, errorCode } = error;
    replyJson(response, status, { code: status, message, ...(errorCode && { error_code: errorCode }) });
  } else replyError(response, 500, error instanceof Error ? error.message : String(error));
}
