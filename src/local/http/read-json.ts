import type { IncomingMessage } from 'node:http';
import { ApiError } from './replies.js';

const longestBody = 16 << 20;

/** The JSON of a request body, which may be chunked. None at all counts as an empty object. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  // The connection stays, for the answer to a body that is too long.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > longestBody) break;
  }
  if (length > longestBody) {
    // What is left of it would be in the way of the next request.
    request.resume();
    throw new ApiError(413, 'request body is larger than 16 MiB');
  }
  if (length === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new ApiError(400, 'request body is not valid JSON');
  }
}
