/**
 * Gives a body the length that its answer announces. workerd has a stream for that, and without it ends an answer in good
 * order whose own stream broke off: half a file would look whole.
 */
export function withLength(body: ReadableStream<Uint8Array>, headers: Headers): ReadableStream<Uint8Array> {
  const { FixedLengthStream } = globalThis as {
    FixedLengthStream?: new (length: number) => TransformStream<Uint8Array, Uint8Array>;
  };
  const length = lengthOf(headers);
  if (!FixedLengthStream || length === undefined) return body;
  const { readable, writable } = new FixedLengthStream(length);
  // What breaks off breaks off at the other end too, and is told there.
  body.pipeTo(writable).catch(() => undefined);
  return readable;
}

/** The length that an answer announces, in bytes. */
export function lengthOf(headers: Headers): number | undefined {
  const length = headers.get('content-length');
  return length === null ? undefined : Number(length);
}
