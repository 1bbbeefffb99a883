import { httpRefusal } from './refusals.js';

/** Reads a whole body, and no more of it than may be. */
export async function readBody(body: Request | Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(body.headers.get('content-length') ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  if (!body.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels what is left of the body.
  for await (const chunk of body.body) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

function tooLarge(maxBytes: number): Error {
  return httpRefusal(413, 'body_too_large', `The body is larger than ${maxBytes} bytes.`);
}
