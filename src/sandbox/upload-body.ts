import { InvalidArgumentError } from '../errors.js';
import type { Rule } from '../transport/check-options.js';

/** What can be written to a file. Text is written as UTF-8. */
export type FileData = string | ArrayBuffer | ArrayBufferView | Blob | ReadableStream<Uint8Array>;

/** A request's body, with what `fetch` has to be told about it. */
export type UploadBody = Pick<RequestInit, 'body'> & { duplex?: 'half' };

export const fileData: Rule = [
  "a string, an ArrayBuffer or a view of one, a Blob or a ReadableStream that nobody reads (a stream of Node's own kind becomes one by Readable.toWeb)",
  (value: FileData) =>
    typeof value === 'string' ||
    value instanceof ArrayBuffer ||
    ArrayBuffer.isView(value) ||
    value instanceof Blob ||
    (value instanceof ReadableStream && !value.locked),
];

/** How a file travels. */
export interface UploadMode {
  /** As the one file of a form, in the place of the bare bytes (envd before 0.5.7). */
  multipart: boolean;
  gzip: boolean;
  /**
   * Whether `fetch` can send a stream. Pages cannot (but for Chromium over HTTP/2), so there a stream is gathered
   * first, and so it is for a form.
   */
  streaming: boolean;
}

/** The body of an upload. The signal ends the wait for a stream that is gathered, and cancels it. */
export async function uploadBody(
  data: FileData,
  { multipart, gzip, streaming }: UploadMode,
  signal?: AbortSignal,
): Promise<UploadBody> {
  const body = gzip ? compressed(data) : data;
  if (multipart) {
    const form = new FormData();
    form.append('file', await gathered(body, signal));
    return { body: form };
  }
  if (!(body instanceof ReadableStream)) return { body: body as BodyInit };
  return streaming ? { body, duplex: 'half' } : { body: await gathered(body, signal) };
}

/** How much a body weighs, in bytes; at most, where it is text. 0 for a stream, of which that is not known. */
export function uploadSize(body: RequestInit['body']): number {
  if (typeof body === 'string') return body.length * 3;
  if (body instanceof FormData) return uploadSize(body.get('file') as File);
  if (body instanceof Blob) return body.size;
  return ArrayBuffer.isView(body) || body instanceof ArrayBuffer ? body.byteLength : 0;
}

async function gathered(data: FileData, signal: AbortSignal | undefined): Promise<Blob> {
  if (data instanceof Blob) return data;
  if (!(data instanceof ReadableStream)) return new Blob([data as BlobPart]);
  const reader = data.getReader();
  const cancel = (): void => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    const pieces: BlobPart[] = [];
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (!ArrayBuffer.isView(next.value)) {
        cancel();
        throw new InvalidArgumentError('files.write: the stream gives something else than bytes.');
      }
      pieces.push(next.value as Uint8Array<ArrayBuffer>);
    }
    signal?.throwIfAborted();
    return new Blob(pieces);
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function compressed(data: FileData): ReadableStream<Uint8Array> {
  const body = new Response(data as BodyInit).body ?? new Blob([]).stream();
  return body.pipeThrough(
    new CompressionStream('gzip') as unknown as ReadableWritablePair<Uint8Array, Uint8Array>,
  );
}
