import { type ClientHttp2Stream, constants } from 'node:http2';

/**
 * nghttp2 ends a connection on which 1,000 streams were reset faster than 33 a second make good for, and a sandbox
 * has one connection. Node 20 has no setting for it, so resets are kept below that.
 */
const [burst, perSecond] = [900, 30] as const;

/** Resets the streams of one connection that nobody wants any more: at once, or as soon as that is allowed. */
export class StreamCancels {
  readonly #waiting = new Set<ClientHttp2Stream>();
  #allowed: number = burst;
  #counted = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** What the stream still brings is for nobody. */
  cancel(stream: ClientHttp2Stream): void {
    if (stream.closed || stream.destroyed || this.#waiting.has(stream)) return;
    if (this.#take()) {
      stream.close(constants.NGHTTP2_CANCEL);
      return;
    }
    this.#waiting.add(stream);
    stream.once('close', () => this.#waiting.delete(stream));
    stream.removeAllListeners('data');
    stream.resume();
    this.#later();
  }

  #take(): boolean {
    const now = performance.now();
    this.#allowed = Math.min(burst, this.#allowed + ((now - this.#counted) / 1000) * perSecond);
    this.#counted = now;
    if (this.#allowed < 1) return false;
    this.#allowed--;
    return true;
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const stream of this.#waiting) {
        if (!this.#take()) break;
        this.#waiting.delete(stream);
        stream.close(constants.NGHTTP2_CANCEL);
      }
      if (this.#waiting.size > 0) this.#later();
    }, 1000 / perSecond).unref();
  }
}
