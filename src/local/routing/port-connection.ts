import type { ClientHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';

/**
 * A connection to a port inside a sandbox, over a stream of envd. Node's HTTP client cannot use the stream itself:
 * text that is written to one in several pieces at once is freed before it is sent (seen with Node 20), and so
 * only bytes may be.
 */
export class PortConnection extends Duplex {
  readonly #stream: ClientHttp2Stream;
  readonly #cancel: () => void;

  /** `stream` has been answered already; `cancel` gives it up. */
  constructor(stream: ClientHttp2Stream, cancel: () => void) {
    super({ allowHalfOpen: true, decodeStrings: true });
    this.#stream = stream;
    this.#cancel = cancel;
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.once('end', () => this.push(null));
    // A stream that was reset has no 'end', and not always an error.
    stream.once('aborted', () => this.destroy(new Error('the connection was reset')));
    stream.on('error', (error) => this.destroy(error));
    stream.once('close', () => this.destroy());
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#cancel();
    done(error);
  }
}
