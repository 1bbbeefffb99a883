import type { Http2ServerRequest } from 'node:http2';
import { HttpError } from './errors.js';

const longestBody = 16 << 20;

/** The JSON of a small request body. */
export async function readJson(request: Http2ServerRequest): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > longestBody) throw new HttpError(413, 'request body is larger than 16 MiB');
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpError(400, 'request body is not valid JSON');
  }
}
