import { type Disposition, dispositionOf } from './disposition.js';

/** One part of a multipart body. Its content must be read before the next part is asked for. */
export interface Part extends Disposition {
  readonly content: AsyncIterable<Buffer>;
}

/** The body is not in the multipart format. */
export class MultipartError extends Error {
  override name = 'MultipartError';
}

const longestHeaders = 64 << 10;
const blankLine = Buffer.from('\r\n\r\n');

/** The boundary that a `Content-Type` names, or `undefined`. */
export function boundaryOf(contentType: string): string | undefined {
  const match = /;\s*boundary=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(contentType);
  return match?.[1]?.replace(/\\(.)/g, '$1') ?? match?.[2];
}

/** The parts of a multipart body, streamed: nothing larger than a part's headers is held in memory. */
export async function* multipartParts(source: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter need not follow a line end; giving it one makes it like the others.
  const input = new Input(source, Buffer.from('\r\n'));
  try {
    for await (const _preamble of input.until(delimiter));
    while (!(await input.startsWith('--'))) {
      // With the line end after the delimiter, so that headers may be empty.
      const headers = dispositionOf(await input.upTo(blankLine, longestHeaders));
      const content = input.until(delimiter);
      yield { ...headers, content };
      for await (const _unread of content);
    }
  } finally {
    await input.close();
  }
}

/** Reads a chunked source by delimiters and lengths. */
class Input {
  readonly #source: AsyncIterator<Buffer>;
  #buffer: Buffer;

  constructor(source: AsyncIterable<Buffer>, head: Buffer) {
    this.#source = source[Symbol.asyncIterator]();
    this.#buffer = head;
  }

  /** Everything before the delimiter, in pieces; the delimiter is consumed. */
  async *until(delimiter: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf(delimiter);
      if (at >= 0) {
        const last = this.#buffer.subarray(0, at);
        this.#buffer = this.#buffer.subarray(at + delimiter.length);
        if (last.length > 0) yield last;
        return;
      }
      // The end may be the beginning of a delimiter.
      const safe = this.#buffer.length - delimiter.length + 1;
      if (safe > 0) {
        const piece = this.#buffer.subarray(0, safe);
        this.#buffer = this.#buffer.subarray(safe);
        yield piece;
      }
      try {
        await this.#fill();
      } catch (error) {
        // What has come is not held back, so that the file has it.
        if (this.#buffer.length > 0) yield this.#buffer;
        throw error;
      }
    }
  }

  async upTo(delimiter: Buffer, limit: number): Promise<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf(delimiter);
      if (at >= 0) {
        const piece = this.#buffer.subarray(0, at);
        this.#buffer = this.#buffer.subarray(at + delimiter.length);
        return piece;
      }
      if (this.#buffer.length > limit) throw new MultipartError('multipart: part headers are too long');
      await this.#fill();
    }
  }

  /** Whether that comes next. It stays where it is. */
  async startsWith(text: string): Promise<boolean> {
    while (this.#buffer.length < text.length) await this.#fill();
    return this.#buffer.toString('latin1', 0, text.length) === text;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #fill(): Promise<void> {
    const { done, value } = await this.#source.next();
    if (done) throw new MultipartError('multipart: unexpected end of the body');
    this.#buffer = this.#buffer.length > 0 ? Buffer.concat([this.#buffer, value]) : value;
  }
}
