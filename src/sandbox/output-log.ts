/** A piece of what a command printed. */
export interface OutputPiece {
  type: 'stdout' | 'stderr';
  data: Uint8Array;
}

/** How far the slowest reader may fall behind before the command is held up, in bytes. */
const maxLag = 1024 * 1024;

/**
 * What a command printed, in order, for any number of readers. A writer waits while the slowest reader is far behind,
 * so that a slow loop slows the command down in the place of filling the memory.
 */
export class OutputLog {
  #pieces: OutputPiece[] = [];
  /** The number of pieces that were let go, before those in `#pieces`. */
  #gone = 0;
  #written = 0;
  #ended = false;
  readonly #keep: boolean;
  readonly #readers = new Set<{ index: number; read: number }>();
  #change: PromiseWithResolvers | undefined;

  /** @param keep whether what was read stays, for `text` and for readers that come later. */
  constructor(keep: boolean) {
    this.#keep = keep;
  }

  /** Whether somebody reads. */
  get hasReaders(): boolean {
    return this.#readers.size > 0;
  }

  /** Adds a piece; resolves when the slowest reader is near enough for the next. */
  async write(piece: OutputPiece): Promise<void> {
    this.#pieces.push(piece);
    this.#written += piece.data.length;
    this.#release();
    while (!this.#ended && this.#lag() > maxLag) await this.#nextChange();
  }

  /** No more comes for now: readers finish what there is, and end. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** More comes after all. */
  reopen(): void {
    this.#ended = false;
  }

  /** Reads from the beginning of what is kept until `end`. */
  async *read(): AsyncGenerator<OutputPiece, void, undefined> {
    const reader = { index: this.#gone, read: this.#written - this.#kept() };
    this.#readers.add(reader);
    try {
      for (;;) {
        const piece = this.#pieces[reader.index - this.#gone];
        if (piece) {
          reader.index++;
          reader.read += piece.data.length;
          this.#release();
          yield piece;
        } else if (this.#ended) {
          return;
        } else {
          await this.#nextChange();
        }
      }
    } finally {
      this.#readers.delete(reader);
      this.#release();
    }
  }

  /** All of one kind that is kept, as text. */
  text(type: OutputPiece['type']): string {
    const decoder = new TextDecoder();
    let text = '';
    for (const piece of this.#pieces) {
      if (piece.type === type) text += decoder.decode(piece.data, { stream: true });
    }
    return text + decoder.decode();
  }

  #kept(): number {
    return this.#pieces.reduce((sum, { data }) => sum + data.length, 0);
  }

  #lag(): number {
    let slowest = this.#written;
    for (const { read } of this.#readers) slowest = Math.min(slowest, read);
    return this.#written - slowest;
  }

  /** Lets go of what nobody will read any more, and tells all that something has changed. */
  #release(): void {
    if (!this.#keep) {
      let needed = this.#gone + this.#pieces.length;
      for (const { index } of this.#readers) needed = Math.min(needed, index);
      this.#pieces.splice(0, needed - this.#gone);
      this.#gone = needed;
    }
    this.#notify();
  }

  #nextChange(): Promise<void> {
    this.#change ??= withResolvers();
    return this.#change.promise;
  }

  #notify(): void {
    this.#change?.resolve();
    this.#change = undefined;
  }
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve(): void;
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers(): PromiseWithResolvers {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
