import type { Rule } from '../transport/check-options.js';

/** What can be sent to a command: text as UTF-8, bytes, or a stream of either, which is read as it is taken. */
export type InputSource =
  | string
  | Uint8Array
  | ReadableStream<Uint8Array>
  | AsyncIterable<string | Uint8Array>;

export const bytes: Rule = ['a Uint8Array', (value) => (value as unknown) instanceof Uint8Array];

export const textOrBytes: Rule = [
  'a string or a Uint8Array',
  (value) => typeof value === 'string' || bytes[1](value),
];

export const inputSource: Rule = [
  'a string, a Uint8Array, a ReadableStream that nobody reads, or an async iterable of these',
  (value) => textOrBytes[1](value) || isStream(value),
];

/** The bytes of a source. */
export function bytesOf(source: string | Uint8Array): Uint8Array;
export function bytesOf(source: InputSource): Uint8Array | AsyncIterable<Uint8Array>;
export function bytesOf(source: InputSource): Uint8Array | AsyncIterable<Uint8Array> {
  if (typeof source === 'string') return new TextEncoder().encode(source);
  if (source instanceof Uint8Array) return source;
  return {
    [Symbol.asyncIterator]: () =>
      encoded('getReader' in source ? chunksOf(source) : source[Symbol.asyncIterator]()),
  };
}

function isStream(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    ('getReader' in value ? !(value as ReadableStream).locked : Symbol.asyncIterator in value)
  );
}

/** No generator: its `return` would wait for a source that has nothing to give. */
function encoded(chunks: AsyncIterator<unknown>): AsyncIterator<Uint8Array> {
  return {
    async next() {
      const { value, done } = await chunks.next();
      if (done) return { value: undefined, done };
      if (value instanceof Uint8Array) return { value };
      if (typeof value === 'string') return { value: new TextEncoder().encode(value) };
      throw new TypeError(`The input gave something of the type ${typeof value}, not a string or bytes.`);
    },
    async return() {
      await chunks.return?.();
      return { value: undefined, done: true };
    },
  };
}

/** Safari's streams have no loop of their own. */
function chunksOf(stream: ReadableStream<Uint8Array>): AsyncIterator<Uint8Array> {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<Uint8Array>>,
    async return() {
      await reader.cancel();
      return { value: undefined, done: true };
    },
  };
}
