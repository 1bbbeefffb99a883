/** What a terminal printed, as far as it is kept, where something is missing in it, and in which size it was printed. */

import type { PtySize } from '../channel/channel.js';
import { Ring } from './ring.js';

/** A place between two bytes of output. */
interface Mark {
  /** Rises with each mark. */
  id: number;
  /** The offset that the first byte after it has. */
  at: number;
}

/** Here the channel itself lost output. */
export interface Hole extends Mark {
  reason: string;
}

/** From here on the terminal has another size. */
export interface SizeMark extends Mark {
  size: PtySize;
}

const lineStartSearchBytes = 8 * 1024;
const newline = 0x0a;
/** Of sizes; a window that is dragged makes one after the other. */
const maxSizes = 256;

export class History {
  readonly #ring: Ring;
  #marks: (Hole | SizeMark)[] = [];
  #markCount = 0;
  /** The one in force before the first mark. */
  #firstSize: PtySize | undefined;

  /** @param from the offset of the first byte. */
  constructor(limitBytes: number, size?: PtySize, from = 0) {
    this.#ring = new Ring(limitBytes, from);
    this.#firstSize = size;
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
    while (this.#marks[0] && this.#marks[0].at < this.tail) this.#forget(0);
  }

  /** Notes that output is missing here. */
  addHole(reason: string): void {
    this.#marks.push({ ...this.#mark(), reason });
  }

  /** Notes that what comes is printed in a size. */
  addSize(size: PtySize): void {
    const { head } = this;
    // Of those at one place only the last was ever in force.
    this.#marks = this.#marks.filter((mark) => !('size' in mark && mark.at === head));
    this.#marks.push({ ...this.#mark(), size });
    const [oldest, ...others] = this.#sizes();
    if (oldest && others.length >= maxSizes) this.#forget(this.#marks.indexOf(oldest));
  }

  /** The size in force for the byte at an offset, where that is known. */
  sizeAt(offset: number): PtySize | undefined {
    return this.#sizes().findLast(({ at }) => at <= offset)?.size ?? this.#firstSize;
  }

  /** The first mark at or after an offset, of those that are newer than the one with an id. */
  nextMark(offset: number, afterId: number): Hole | SizeMark | undefined {
    return this.#marks.find(({ id, at }) => id > afterId && at >= offset);
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

  #mark(): Mark {
    this.#markCount++;
    return { id: this.#markCount, at: this.head };
  }

  #sizes(): SizeMark[] {
    return this.#marks.filter((mark) => 'size' in mark);
  }

  #forget(index: number): void {
    const [mark] = this.#marks.splice(index, 1);
    if (mark && 'size' in mark) this.#firstSize = mark.size;
  }
}
