import type { OutputEvent } from '../channel/channel.js';

/** What of an xterm terminal the output needs. */
export interface WriteTarget {
  write(data: Uint8Array, callback: () => void): void;
}

/** The parser works a write in one go: at 3 MB/s this is 10 ms, so that the page stays responsive. */
const sliceBytes = 32 * 1024;

/**
 * Hands output to xterm, which parses it later, and holds the reader back while more than `highWaterBytes` wait
 * for the parser. Bytes stay bytes: xterm joins characters that were cut apart.
 */
export class OutputWriter {
  readonly #target: WriteTarget;
  readonly #highWaterBytes: number;
  readonly #parsed: (offset: number) => void;
  #waitingBytes = 0;
  #waitingReplayBytes = 0;
  #wake: (() => void) | undefined;

  /** @param parsed is told the offset below which everything was parsed. */
  constructor(target: WriteTarget, highWaterBytes: number, parsed: (offset: number) => void) {
    this.#target = target;
    this.#highWaterBytes = highWaterBytes;
    this.#parsed = parsed;
  }

  /** Whether output below `replayUntil` still waits for the parser. */
  get replaying(): boolean {
    return this.#waitingReplayBytes > 0;
  }

  /** Resolves when more may be written. */
  async write(event: OutputEvent, replayUntil: number): Promise<void> {
    const end = event.offset + event.data.length;
    let start = event.offset;
    while (start < end) {
      const replay = start < replayUntil;
      const stop = Math.min(end, start + sliceBytes, replay ? replayUntil : end);
      this.#slice(event.data.subarray(start - event.offset, stop - event.offset), stop, replay);
      start = stop;
    }
    await this.#below(this.#highWaterBytes);
  }

  /** Resolves when everything that was written is parsed. */
  async drained(): Promise<void> {
    await this.#below(0);
  }

  /** Nothing is parsed any more: whoever waits goes on. */
  stop(): void {
    this.#waitingBytes = 0;
    this.#waitingReplayBytes = 0;
    this.#wake?.();
  }

  #slice(data: Uint8Array, end: number, replay: boolean): void {
    this.#waitingBytes += data.length;
    if (replay) this.#waitingReplayBytes += data.length;
    this.#target.write(data, () => {
      this.#waitingBytes -= data.length;
      if (replay) this.#waitingReplayBytes -= data.length;
      this.#parsed(end);
      this.#wake?.();
    });
  }

  async #below(limit: number): Promise<void> {
    while (this.#waitingBytes > limit) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
  }
}
