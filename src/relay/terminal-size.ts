import type { PtySize } from '../channel/channel.js';

/** The size of a terminal, as its writer wishes it. */
export class TerminalSize {
  readonly #apply: (size: PtySize) => void;
  #current: PtySize | undefined;
  #wish: { size: PtySize; from: number } | undefined;
  #nudge = false;

  constructor(apply: (size: PtySize) => void, current?: PtySize) {
    this.#apply = apply;
    this.#current = current;
  }

  /** Wishes for a size once the writer was sent the output up to an offset: a replay was printed in the old size. */
  wish(size: PtySize, from: number): void {
    this.#wish = { size, from: Math.max(from, this.#wish?.from ?? 0) };
  }

  /** Programs shall paint their screens again, which they do when the size changes. */
  nudge(): void {
    this.#nudge = true;
    if (this.#current) this.#wish ??= { size: this.#current, from: 0 };
  }

  /** The writer was sent the output up to an offset. Gives the size in force from now on, where that is another one. */
  reached(offset: number): PtySize | undefined {
    if (!this.#wish || offset < this.#wish.from) return undefined;
    const { size } = this.#wish;
    this.#wish = undefined;
    const same = this.#current?.cols === size.cols && this.#current.rows === size.rows;
    if (same && !this.#nudge) return undefined;
    if (same) this.#apply({ cols: size.cols, rows: size.rows > 1 ? size.rows - 1 : 2 });
    this.#nudge = false;
    this.#current = size;
    this.#apply(size);
    return same ? undefined : size;
  }
}
