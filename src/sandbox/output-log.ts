import { OutputDecoder } from './output-decoder.js';

/** A piece of what a command printed. */
export interface OutputPiece {
  type: 'stdout' | 'stderr';
  data: Uint8Array;
}

/** A place where output is missing. */
export interface OutputGap {
  type: 'gap';
  /** How much, in bytes; null where nobody counted. */
  bytes: number | null;
  /** Why, in words. */
  reason: string;
}

export type OutputEntry = OutputPiece | OutputGap;

/** Bytes of each kind of output. */
export interface OutputBytes {
  stdout: number;
  stderr: number;
}

/** How far the slowest reader may fall behind before the command is held up, in bytes. */
const maxLag = 1024 * 1024;

/** Entries that were let go leave the array when there are so many, and half of it: moving the rest has its price. */
const minSplice = 256;

/** In the place of an entry that was let go. */
const nothing: OutputEntry = { type: 'gap', bytes: 0, reason: '' };

/**
 * What a command printed, in order, for any number of readers. A writer waits while the slowest reader is far behind,
 * so that a slow loop slows the command down in the place of filling the memory.
 */
export class OutputLog {
  /** How much was let go, in bytes: all that `text` does not have. */
  readonly dropped: OutputBytes = { stdout: 0, stderr: 0 };
  #entries: OutputEntry[] = [];
  /** The number of entries that were let go, before those in `#entries`. */
  #gone = 0;
  /** The first entry in `#entries` that is retained: those before it are let go many at a time. */
  #first = 0;
  #written = 0;
  #retained = 0;
  /** Whether a gap of unknown size is among what was let go. */
  #droppedGap = false;
  #ended = false;
  readonly #maxRetained: number;
  readonly #readers = new Set<{ index: number; read: number }>();
  #change: PromiseWithResolvers | undefined;

  /** @param maxRetainedBytes how much of what was read stays, for `text` and for readers that come later: the newest. */
  constructor(maxRetainedBytes: number) {
    this.#maxRetained = maxRetainedBytes;
  }

  /** Whether somebody reads. */
  get hasReaders(): boolean {
    return this.#readers.size > 0;
  }

  /** Adds an entry; resolves when the slowest reader is near enough for the next. */
  async write(entry: OutputEntry): Promise<void> {
    const bytes = sizeOf(entry);
    this.#entries.push(entry);
    this.#written += bytes;
    this.#retained += bytes;
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

  /** Reads what is retained, after a gap for what is not, and what comes until `end`. */
  async *read(): AsyncGenerator<OutputEntry, void, undefined> {
    const reader = { index: this.#gone + this.#first, read: this.#written - this.#retained };
    this.#readers.add(reader);
    try {
      const missing = this.#missing();
      if (missing) yield missing;
      for (;;) {
        const entry = this.#entries[reader.index - this.#gone];
        if (entry) {
          reader.index++;
          reader.read += sizeOf(entry);
          this.#release();
          yield entry;
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

  /** All of one kind that is retained, as text. */
  text(type: OutputPiece['type']): string {
    const decoder = new OutputDecoder();
    let text = this.dropped[type] > 0 ? decoder.gap() : '';
    for (const entry of this.#entries.slice(this.#first)) {
      if (entry.type === 'gap') text += decoder.gap();
      else if (entry.type === type) text += decoder.decode(entry.data);
    }
    return text + decoder.end();
  }

  #missing(): OutputGap | undefined {
    const bytes = this.dropped.stdout + this.dropped.stderr;
    if (bytes === 0 && !this.#droppedGap) return undefined;
    return {
      type: 'gap',
      bytes: this.#droppedGap ? null : bytes,
      reason: 'the output was longer than maxRetainedBytes',
    };
  }

  #lag(): number {
    let slowest = this.#written;
    for (const { read } of this.#readers) slowest = Math.min(slowest, read);
    return this.#written - slowest;
  }

  /** Lets go of the oldest that is too much and that nobody will read any more, and tells all that something changed. */
  #release(): void {
    let read = this.#entries.length;
    for (const { index } of this.#readers) read = Math.min(read, index - this.#gone);
    while (this.#retained > this.#maxRetained && this.#first < read) this.#dropFirst();
    if (this.#first >= minSplice && this.#first * 2 >= this.#entries.length) {
      this.#entries.splice(0, this.#first);
      this.#gone += this.#first;
      this.#first = 0;
    }
    this.#notify();
  }

  /** Lets go of the oldest entry, or of as much of it as is too much. */
  #dropFirst(): void {
    const entry = this.#entries[this.#first] as OutputEntry;
    const bytes = Math.min(sizeOf(entry), this.#retained - this.#maxRetained);
    this.#retained -= bytes;
    if (entry.type === 'gap') this.#droppedGap = true;
    else this.dropped[entry.type] += bytes;
    if (entry.type !== 'gap' && bytes < entry.data.length) {
      this.#entries[this.#first] = { type: entry.type, data: entry.data.subarray(bytes) };
    } else {
      this.#entries[this.#first++] = nothing;
    }
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

function sizeOf(entry: OutputEntry): number {
  return entry.type === 'gap' ? 0 : entry.data.length;
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
