import { isE2BEdgeError } from '../errors.js';
import { httpRefusal, upstreamFailed } from './refusals.js';

/** Reads the whole body of a page's request, and no more of it than may be. */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readWhole(request, maxBytes);
  } catch (error) {
    if (isE2BEdgeError(error)) throw error;
    throw httpRefusal(499, 'canceled', 'The body broke off before its end.');
  }
}

/** Reads the whole body of an upstream's answer; one that is too large or breaks off is an upstream that failed. */
export async function readAnswer(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readWhole(response, maxBytes);
  } catch (error) {
    throw upstreamFailed(error);
  }
}

/** Lets go of an answer that is not read. One that broke off already has nothing to let go of. */
export async function discard({ body }: Response): Promise<void> {
  await body?.cancel().catch(() => undefined);
}

async function readWhole(body: Request | Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(body.headers.get('content-length') ?? 0);
  if (announced > maxBytes) throw bodyTooLarge(maxBytes);
  if (!body.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > maxBytes) {
      // Not waited for: a copy of a body is let go of only along with the other one.
      reader.cancel().catch(() => undefined);
      throw bodyTooLarge(maxBytes);
    }
    chunks.push(next.value);
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** 413 */
export function bodyTooLarge(maxBytes: number): Error {
  return httpRefusal(413, 'body_too_large', `The body is larger than ${maxBytes} bytes.`);
}
