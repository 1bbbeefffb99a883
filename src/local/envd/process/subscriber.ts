import type { ExitStatus } from './exit-status.js';
import type { OutputKind } from './spawned.js';

export interface Output {
  readonly kind: OutputKind;
  readonly chunk: Uint8Array;
}

/** What a subscriber gets next; `keepalive` when nothing came for as long as it asked. */
export type Delivery =
  | { readonly type: 'output'; readonly output: Output }
  | { readonly type: 'end'; readonly end: ExitStatus }
  | { readonly type: 'keepalive' };

/** Bytes that may wait for a subscriber before the process is held. */
const highWater = 256 << 10;
/** Bytes that wait at the most for one who has stopped taking while others go on. */
const overflow = 8 << 20;
/** What a chunk weighs beside its bytes, so that many tiny ones are bounded too. */
const chunkWeight = 512;

/** One reader of a process's output: a bounded queue, so that a slow one costs a known amount of memory. */
export class Subscriber {
  readonly #queue: Output[] = [];
  #weight = 0;
  #end: ExitStatus | undefined;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  readonly #onDrain: () => void;

  /** `onDrain` is called whenever the queue stops being full. */
  constructor(onDrain: () => void) {
    this.#onDrain = onDrain;
  }

  /** Whether it must be waited for. */
  get full(): boolean {
    return this.#weight >= highWater;
  }

  /** Whether it has fallen behind for good. */
  get overflowing(): boolean {
    return this.#weight >= overflow;
  }

  push(output: Output): void {
    this.#queue.push(output);
    this.#weight += output.chunk.length + chunkWeight;
    this.#wake?.();
  }

  /** The process has ended; delivered after what is queued. */
  finish(end: ExitStatus): void {
    this.#end = end;
    this.#wake?.();
  }

  /** Ends this subscription with an error, and drops what is queued. */
  fail(error: Error): void {
    this.#failure = error;
    this.#queue.length = 0;
    this.#weight = 0;
    this.#wake?.();
  }

  /** Rejects with the signal's reason once that is aborted. One call at a time. */
  async next(signal: AbortSignal, keepaliveMs: number): Promise<Delivery> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failure) throw this.#failure;
      const output = this.#queue.shift();
      if (output) {
        const wasFull = this.full;
        this.#weight -= output.chunk.length + chunkWeight;
        if (wasFull && !this.full) this.#onDrain();
        return { type: 'output', output };
      }
      if (this.#end) return { type: 'end', end: this.#end };
      if (await this.#silence(signal, keepaliveMs)) return { type: 'keepalive' };
    }
  }

  /** Waits until something happened; true when nothing did. */
  async #silence(signal: AbortSignal, ms: number): Promise<boolean> {
    return new Promise<boolean>((resolve) => {
      const settle = (silent: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve(silent);
      };
      const wake = (): void => settle(false);
      const timer = setTimeout(() => settle(true), ms);
      signal.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
    });
  }
}
