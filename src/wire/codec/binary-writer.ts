/** What of protobuf's binary format envd's messages are made of. */

/** The names of the methods that write values are those of the kinds of values. @throws {RangeError} */
export class BinaryWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  #length = 0;

  tag(number: number, wireType: number): void {
    this.#varint((number << 3) | wireType);
  }

  uint32(value: number): void {
    requireWithin(value, 0, 0xffff_ffff);
    this.#varint(value);
  }

  int32(value: number): void {
    requireWithin(value, -0x8000_0000, 0x7fff_ffff);
    this.#varint(value, value < 0 ? -1 : 0);
  }

  sint32(value: number): void {
    requireWithin(value, -0x8000_0000, 0x7fff_ffff);
    this.#varint((value << 1) ^ (value >> 31));
  }

  int64(value: number): void {
    requireWithin(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    this.#varint(value % 2 ** 32, Math.floor(value / 2 ** 32));
  }

  bool(value: boolean): void {
    this.#varint(value ? 1 : 0);
  }

  bytes(value: Uint8Array): void {
    this.uint32(value.length);
    this.#append(value);
  }

  string(value: string): void {
    this.bytes(new TextEncoder().encode(value));
  }

  /** A message: what is written meanwhile, with its length before it. */
  nested(write: () => void): void {
    const start = this.#length;
    write();
    const message = this.#bytes.slice(start, this.#length);
    this.#length = start;
    this.bytes(message);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Writes 64 bits, given as two halves. */
  #varint(low: number, high = 0): void {
    let [rest, upper] = [low >>> 0, high >>> 0];
    const bytes: number[] = [];
    while (rest > 0x7f || upper > 0) {
      bytes.push((rest & 0x7f) | 0x80);
      rest = ((rest >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    bytes.push(rest);
    this.#append(bytes);
  }

  #append(more: ArrayLike<number>): void {
    const length = this.#length + more.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(more, this.#length);
    this.#length = length;
  }
}

function requireWithin(value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${value} is not an integer from ${least} to ${most}`);
}
