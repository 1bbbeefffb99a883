/** The last bytes of a terminal, addressed by their offset. Memory grows with what is kept, up to the limit. */
export class Ring {
  readonly #limit: number;
  #buffer: Uint8Array;
  #tail: number;
  #head: number;

  /** @param from the offset of the first byte. */
  constructor(limitBytes: number, from = 0) {
    this.#tail = from;
    this.#head = from;
    this.#limit = limitBytes;
    this.#buffer = new Uint8Array(Math.min(limitBytes, 16 * 1024));
  }

  /** The offset of the oldest byte kept. */
  get tail(): number {
    return this.#tail;
  }

  /** The offset of the next byte to come. */
  get head(): number {
    return this.#head;
  }

  append(data: Uint8Array): void {
    this.#grow(this.#head - this.#tail + data.length);
    const kept = data.subarray(Math.max(0, data.length - this.#buffer.length));
    this.#head += data.length;
    const at = (this.#head - kept.length) % this.#buffer.length;
    const first = kept.subarray(0, this.#buffer.length - at);
    this.#buffer.set(first, at);
    this.#buffer.set(kept.subarray(first.length), 0);
    this.#tail = Math.max(this.#tail, this.#head - this.#buffer.length);
  }

  /** A copy of the bytes from an offset on; both ends must be kept. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.copy(offset, bytes);
    return bytes;
  }

  /** Fills a place with the bytes from an offset on; both ends must be kept. */
  copy(offset: number, to: Uint8Array): void {
    const at = offset % this.#buffer.length;
    const first = this.#buffer.subarray(at, at + to.length);
    to.set(first);
    to.set(this.#buffer.subarray(0, to.length - first.length), first.length);
  }

  #grow(needed: number): void {
    let size = this.#buffer.length;
    while (size < needed && size < this.#limit) size = Math.min(size * 2, this.#limit);
    if (size === this.#buffer.length) return;
    const kept = this.read(this.#tail, this.#head - this.#tail);
    this.#buffer = new Uint8Array(size);
    const at = this.#tail % size;
    const first = kept.subarray(0, size - at);
    this.#buffer.set(first, at);
    this.#buffer.set(kept.subarray(first.length), 0);
  }
}
