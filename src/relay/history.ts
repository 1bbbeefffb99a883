/** What a terminal printed, as far as it is kept, and where something is missing in it. */

import { Ring } from './ring.js';

/** A place where the channel itself lost output. */
export interface Hole {
  /** Rises with each hole. */
  id: number;
  /** The offset that the first byte after it has. */
  at: number;
  reason: string;
}

const lineStartSearchBytes = 8 * 1024;
const newline = 0x0a;

export class History {
  readonly #ring: Ring;
  #holes: Hole[] = [];
  #holeCount = 0;

  constructor(limitBytes: number) {
    this.#ring = new Ring(limitBytes);
  }

  /** The offset of the oldest byte kept. */
  get tail(): number {
    return this.#ring.tail;
  }

  /** The offset of the next byte to come. */
  get head(): number {
    return this.#ring.head;
  }

  append(data: Uint8Array): void {
    this.#ring.append(data);
    const first = this.#holes[0];
    if (first && first.at < this.tail) this.#holes = this.#holes.filter(({ at }) => at >= this.tail);
  }

  /** Notes that output is missing here. */
  addHole(reason: string): void {
    this.#holeCount++;
    this.#holes.push({ id: this.#holeCount, at: this.head, reason });
  }

  /** The first hole at or after an offset, of those that are newer than the one with an id. */
  nextHole(offset: number, afterId: number): Hole | undefined {
    return this.#holes.find(({ id, at }) => id > afterId && at >= offset);
  }

  /** Fills a place with what is kept from an offset on. */
  copy(offset: number, to: Uint8Array): void {
    this.#ring.copy(offset, to);
  }

  /** Where a screen that was reset goes on: the first start of a line that is kept. */
  lineStart(): number {
    const { tail, head } = this;
    if (tail === 0) return 0;
    const found = this.#ring.read(tail, Math.min(head - tail, lineStartSearchBytes)).indexOf(newline);
    return found === -1 ? tail : tail + found + 1;
  }
}
