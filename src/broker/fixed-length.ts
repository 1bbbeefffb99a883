/** Bodies whose length is known. */

interface FixedLength {
  new (length: number): TransformStream<Uint8Array, Uint8Array>;
}

/** The length that headers announce, in bytes. */
export function lengthOf(headers: Headers): number | undefined {
  const length = headers.get('content-length');
  return length === null ? undefined : Number(length);
}

/** A body that the runtime passes on by itself. */
export interface FixedPipe {
  readable: ReadableStream<Uint8Array>;
  /** Settles with the end of it. Rejects where it breaks off or is left, and with the reason of the signal. */
  ended: Promise<void>;
}

/**
 * Has workerd pass a body on. Where that is one of workerd's own, no byte of it comes into the memory and the CPU time
 * of the Worker. Without it workerd ends an answer in good order whose own stream broke off: half a file would look whole.
 * Undefined on other runtimes.
 */
export function pipeFixedLength(
  body: ReadableStream<Uint8Array>,
  length: number,
  signal: AbortSignal,
): FixedPipe | undefined {
  const { FixedLengthStream } = globalThis as { FixedLengthStream?: FixedLength };
  if (!FixedLengthStream) return undefined;
  const { readable, writable } = new FixedLengthStream(length);
  const ended = body.pipeTo(writable, { signal });
  // What breaks off breaks off at the other end too, and is told there.
  ended.catch(() => undefined);
  return { readable, ended };
}
