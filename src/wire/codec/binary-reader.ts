/** The parts of protobuf's binary format that envd's messages are made of, and what is needed to skip the others. */

const invalid = (what: string): RangeError => new RangeError(`protobuf: ${what}`);

/** The names of the methods that read values are those of the kinds of values. */
export class BinaryReader {
  /** Where the next byte is. */
  pos = 0;
  readonly len: number;
  readonly #bytes: Uint8Array;
  readonly #decodeText: (bytes: Uint8Array) => string;
  /** The upper half of the varint that was read last. */
  #high = 0;

  constructor(bytes: Uint8Array, decodeText: (bytes: Uint8Array) => string) {
    this.#bytes = bytes;
    this.len = bytes.length;
    this.#decodeText = decodeText;
  }

  /** The number of the field that comes, and how it is written. */
  tag(): [number: number, wireType: number] {
    const start = this.pos;
    const tag = this.uint32();
    if (this.#high !== 0 || this.pos - start > 5) throw invalid('a field has too large a number');
    if (tag < 8) throw invalid('a field has the number 0');
    return [tag >>> 3, tag & 7];
  }

  /** Passes over a value; of a group, over all that is in it. */
  skip(wireType: number, number: number): void {
    if (wireType === 0) this.#varint();
    else if (wireType === 1) this.#advance(8);
    else if (wireType === 2) this.#advance(this.uint32());
    else if (wireType === 3) this.#skipGroup(number);
    else if (wireType === 5) this.#advance(4);
    else throw invalid(`a field of the wire type ${wireType}`);
  }

  uint32(): number {
    return this.#varint() >>> 0;
  }

  int32(): number {
    return this.#varint() | 0;
  }

  sint32(): number {
    const zigzag = this.#varint();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  /** Exact up to 2^53. */
  int64(): number {
    const low = this.#varint() >>> 0;
    return (this.#high | 0) * 2 ** 32 + low;
  }

  bool(): boolean {
    return (this.#varint() | this.#high) !== 0;
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const start = this.#advance(this.uint32());
    return this.#bytes.subarray(start, this.pos);
  }

  string(): string {
    return this.#decodeText(this.bytes());
  }

  #skipGroup(number: number): void {
    // Not by calls of its own: groups may be nested as deep as a message is long.
    for (const open = [number]; open.length > 0; ) {
      const [next, wireType] = this.tag();
      if (wireType === 3) open.push(next);
      else if (wireType !== 4) this.skip(wireType, next);
      else if (open.pop() !== next) throw invalid('a group that does not end');
    }
  }

  #advance(length: number): number {
    const start = this.pos;
    this.pos += length;
    if (this.pos > this.len) throw invalid('the message is cut off');
    return start;
  }

  /** The lower 32 bits. */
  #varint(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#advance(1)] as number;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift > 28) high |= bits << (shift - 32);
      else if (shift === 28) high = bits >>> 4;
      if (byte < 0x80) {
        this.#high = high;
        return low;
      }
    }
    throw invalid('a number of more than ten bytes');
  }
}
