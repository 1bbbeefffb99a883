import { InvalidArgumentError } from '../errors.js';

/** What can be written to a file. Text is written as UTF-8. */
export type FileData = string | ArrayBuffer | ArrayBufferView | Blob | ReadableStream<Uint8Array>;

/** A request's body, with what `fetch` has to be told about it. */
export type UploadBody = Pick<RequestInit, 'body'> & { duplex?: 'half' };

/**
 * The body of an upload.
 * @param streaming whether `fetch` can send a stream. Pages cannot (but for Chromium over HTTP/2), so there a stream is
 * gathered first.
 * @throws {InvalidArgumentError} data of another kind.
 */
export async function uploadBody(data: FileData, gzip: boolean, streaming: boolean): Promise<UploadBody> {
  const body = gzip ? compressed(data) : checkedData(data);
  if (!(body instanceof ReadableStream)) return { body: body as BodyInit };
  return streaming ? { body, duplex: 'half' } : { body: await new Response(body).blob() };
}

function compressed(data: FileData): ReadableStream<Uint8Array> {
  const body = new Response(checkedData(data) as BodyInit).body ?? new Blob([]).stream();
  return body.pipeThrough(
    new CompressionStream('gzip') as unknown as ReadableWritablePair<Uint8Array, Uint8Array>,
  );
}

function checkedData(data: FileData): FileData {
  if (
    typeof data === 'string' ||
    data instanceof ArrayBuffer ||
    ArrayBuffer.isView(data) ||
    data instanceof Blob ||
    data instanceof ReadableStream
  ) {
    return data;
  }
  const what = data === null ? 'null' : typeof data;
  throw new InvalidArgumentError(
    `files.write: the data is of the type ${what}. Pass a string, an ArrayBuffer or a view of one, a Blob or a ReadableStream; a stream of Node's own kind by Readable.toWeb(stream).`,
  );
}
