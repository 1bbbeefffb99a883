import { randomBytes } from 'node:crypto';
import type { ByteRange } from './range.js';

/** What comes before each range in a `multipart/byteranges` body, and after the last. */
export interface Byteranges {
  readonly contentType: string;
  /** Of the whole body, in bytes. */
  readonly length: number;
  readonly parts: readonly { readonly head: string; readonly range: ByteRange }[];
  readonly end: string;
}

export function byteranges(ranges: readonly ByteRange[], contentType: string, size: number): Byteranges {
  const boundary = randomBytes(30).toString('hex');
  const parts = ranges.map((range, index) => ({
    range,
    head:
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\n` +
      `Content-Range: ${contentRange(range, size)}\r\nContent-Type: ${contentType}\r\n\r\n`,
  }));
  const end = `\r\n--${boundary}--\r\n`;
  const length = parts.reduce((sum, { head, range }) => sum + head.length + range.length, end.length);
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length, parts, end };
}

export function contentRange({ start, length }: ByteRange, size: number): string {
  return `bytes ${start}-${start + length - 1}/${size}`;
}
