import type { Place } from './fate.js';

const endOfHead = '\r\n\r\n';
const longestHeader = 14;

/** Follows one direction of a WebSocket's connection, and knows in which frame each byte is. */
export class FrameScanner {
  /** Bytes that went by. */
  #bytes = 0;
  /** The frame that the next byte belongs to; -1 is the upgrade. */
  #frame = -1;
  /** Bytes of it that went by. */
  #into = 0;
  #head = '';
  readonly #header = new Uint8Array(longestHeader);

  get frame(): number {
    return this.#frame;
  }

  get into(): number {
    return this.#into;
  }

  /**
   * Goes over data, up to a place if there is one.
   * @returns how many bytes come before the place; undefined when it is not reached yet.
   */
  pass(data: Uint8Array, place: Place | undefined): number | undefined {
    for (const [index, byte] of data.entries()) {
      if (place && this.#isAt(place)) return index;
      this.#step(byte);
    }
    return place && this.#isAt(place) ? data.length : undefined;
  }

  #isAt(place: Place): boolean {
    if ('byte' in place) return this.#bytes >= place.byte;
    return this.#frame > place.frame || (this.#frame === place.frame && this.#into >= place.into);
  }

  #step(byte: number): void {
    this.#bytes++;
    if (this.#frame < 0) {
      this.#head = (this.#head + String.fromCharCode(byte)).slice(-endOfHead.length);
      if (this.#head === endOfHead) this.#frame = 0;
      return;
    }
    if (this.#into < longestHeader) this.#header[this.#into] = byte;
    this.#into++;
    if (this.#into === frameBytes(this.#header, this.#into)) {
      this.#frame++;
      this.#into = 0;
    }
  }
}

/** The length of the frame that begins so, once enough of it is known. */
function frameBytes(header: Uint8Array, known: number): number | undefined {
  if (known < 2) return undefined;
  const view = new DataView(header.buffer);
  const short = view.getUint8(1) & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (known < 2 + extended) return undefined;
  const payload = extended === 2 ? view.getUint16(2) : extended === 8 ? Number(view.getBigUint64(2)) : short;
  const isMasked = view.getUint8(1) >= 0x80;
  return 2 + extended + (isMasked ? 4 : 0) + payload;
}
