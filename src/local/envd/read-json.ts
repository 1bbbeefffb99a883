import type { Http2ServerRequest } from 'node:http2';
import { HttpError } from './errors.js';

/** The JSON of a small request body. */
export async function readJson(request: Http2ServerRequest): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpError(400, 'request body is not valid JSON');
  }
}
