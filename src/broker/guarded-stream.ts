/** A stream that is let through for as long as its session lasts. */

import { keepSandbox, type SessionLife, watchLife } from './session-life.js';

/**
 * How a stream ended: whole, left by who reads it, cut because its session is over, broken off by its source, or never
 * begun to be read.
 */
export type StreamEnd = 'done' | 'left' | 'cut' | 'broken' | 'abandoned';

export interface StreamGuard {
  life: SessionLife;
  /** Aborted when the caller is gone: the stream breaks off. */
  signal?: AbortSignal;
  /**
   * Whether it ends in good order in that case: for an answer, which nobody reads then. An error would be one that Deno
   * prints at each page that goes.
   */
  endsQuietly?: boolean;
  /**
   * How many bytes there are, where that is known: the stream is whole with the last of them. Deno aborts the request once
   * it has sent as many, and reads no further.
   */
  length?: number | undefined;
  /** Sees each piece; where it throws the stream breaks off with that. */
  onChunk?: (chunk: Uint8Array) => void;
  /** What is still said where the stream is cut; undefined where it can only break off. */
  lastWords?: (reason: unknown) => Uint8Array | undefined;
  /** Called once. */
  onEnd?: (end: StreamEnd, reason?: unknown) => void;
}

/** Who has not begun to read by then does not read at all. */
const beginMs = 60_000;

/**
 * Passes a stream on at the pace of its reader. Where it is cut without last words it breaks off, which the reader takes
 * for a lost connection: it comes back with its token, and is told then what is the matter.
 */
export function guardStream(
  body: ReadableStream<Uint8Array>,
  guard: StreamGuard,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new GuardedSource(body.getReader(), guard), { highWaterMark: 0 });
}

class GuardedSource implements UnderlyingDefaultSource<Uint8Array> {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #guard: StreamGuard;
  #stops: (() => void)[] = [];
  #beginning: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  #missingBytes: number;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, guard: StreamGuard) {
    this.#reader = reader;
    this.#guard = guard;
    this.#missingBytes = guard.length ?? Number.POSITIVE_INFINITY;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const { life, signal, endsQuietly } = this.#guard;
    this.#beginning = setTimeout(
      () => this.#breakOff(controller, 'abandoned', new Error('nobody reads the answer')),
      beginMs,
    );
    this.#stops.push(
      () => clearTimeout(this.#beginning),
      watchLife(life, (reason) => this.#cut(controller, reason)),
      keepSandbox(life),
    );
    const onAbort = (): void =>
      endsQuietly
        ? this.#leave(controller, signal?.reason)
        : this.#breakOff(controller, 'left', signal?.reason);
    signal?.addEventListener('abort', onAbort);
    this.#stops.push(() => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted) onAbort();
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    clearTimeout(this.#beginning);
    try {
      const { done, value } = await this.#reader.read();
      if (this.#isOver) return;
      if (done) {
        this.#settle('done');
        controller.close();
      } else {
        this.#guard.onChunk?.(value);
        controller.enqueue(value);
        this.#missingBytes -= value.length;
        if (this.#missingBytes === 0) this.#finish(controller);
      }
    } catch (error) {
      this.#breakOff(controller, 'broken', error);
    }
  }

  cancel(reason: unknown): Promise<void> {
    this.#settle('left', reason);
    return this.#reader.cancel(reason);
  }

  #cut(controller: ReadableStreamDefaultController<Uint8Array>, reason: unknown): void {
    const words = this.#guard.lastWords?.(reason);
    if (!words) {
      this.#breakOff(controller, 'cut', reason);
      return;
    }
    this.#settle('cut', reason);
    controller.enqueue(words);
    controller.close();
    this.#drop(reason);
  }

  #finish(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#settle('done');
    controller.close();
    // A source that was read to its end leaves its connection for others.
    this.#reader.read().catch(() => undefined);
  }

  #leave(controller: ReadableStreamDefaultController<Uint8Array>, reason: unknown): void {
    this.#settle('left', reason);
    controller.close();
    this.#drop(reason);
  }

  #breakOff(controller: ReadableStreamDefaultController<Uint8Array>, end: StreamEnd, reason: unknown): void {
    if (this.#isOver) return;
    this.#settle(end, reason);
    controller.error(reason);
    this.#drop(reason);
  }

  #settle(end: StreamEnd, reason?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const stop of this.#stops) stop();
    this.#guard.onEnd?.(end, reason);
  }

  /** What is upstream is to know as well; that it fails is nobody's concern any more. */
  #drop(reason: unknown): void {
    this.#reader.cancel(reason).catch(() => undefined);
  }
}
