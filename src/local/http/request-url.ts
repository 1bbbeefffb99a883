import type { IncomingMessage } from 'node:http';
import { ApiError } from './replies.js';

/** The path and the query of a request. Throws 400 for what is neither. */
export function urlOf(request: IncomingMessage): URL {
  const text = `http://localhost${request.url}`;
  if (!request.url?.startsWith('/') || !URL.canParse(text)) {
    throw new ApiError(400, `'${request.url}' is not a path`);
  }
  return new URL(text);
}
