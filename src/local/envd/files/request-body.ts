import type { Http2ServerRequest } from 'node:http2';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { HttpError, reasonOf } from '../errors.js';

const gzipMagic = Buffer.from([0x1f, 0x8b, 0x08]);

/**
 * The body of an upload without its `Content-Encoding`. Rejects at once when it is not even the beginning of what
 * that says, so that no file is emptied for it. Whoever stops reading leaves the request as it is.
 */
export async function requestBody(request: Http2ServerRequest): Promise<AsyncIterable<Buffer>> {
  const raw: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  const header = (request.headers['content-encoding'] as string | undefined) ?? '';
  const encoding = header.split(';', 1)[0]!.trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return raw;
  if (encoding !== 'gzip') {
    const reason = `unsupported Content-Encoding: ${header}, supported: [gzip]`;
    throw new HttpError(400, `error decompressing request body: ${reason}`);
  }
  const chunks = raw[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < gzipMagic.length) {
    const { done, value } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  if (!head.subarray(0, gzipMagic.length).equals(gzipMagic)) {
    throw new HttpError(
      400,
      'error decompressing request body: failed to create gzip reader: gzip: invalid header',
    );
  }
  return unzipped(head, chunks);
}

async function* unzipped(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const source = async function* (): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  };
  void pipeline(source, gunzip).catch(() => {});
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    throw new HttpError(500, `error reading request body: gzip: ${reasonOf(error)}`);
  } finally {
    gunzip.destroy();
  }
}
