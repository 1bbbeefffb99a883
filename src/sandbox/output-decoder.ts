/** How many bytes of a UTF-8 character can follow its first. */
const maxContinuation = 3;

const nothing = /*@__PURE__*/ new Uint8Array();

/**
 * Decodes UTF-8 that comes in pieces, some of which may be missing. Decoding is most of the work of reading a command's
 * output, so it is done for those alone who look at the text: pieces are cut at a character's boundary, and then the text
 * of each is its own.
 */
export class OutputDecoder {
  // The mark of byte order is looked at here: a decoder would take one away at the beginning of each piece.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** The beginning of a character whose rest comes with the next piece. */
  #begun: Uint8Array = nothing;
  /** How many bytes may still belong to a character whose beginning is missing. */
  #headless = 0;
  #isFirst = true;

  /** What became whole with this piece. */
  decode(data: Uint8Array): string {
    return this.piece(data)();
  }

  /** The same, decoded when it is asked for. */
  piece(data: Uint8Array): () => string {
    let begun = this.#begun;
    let bytes = data.subarray(this.#missing(data));
    if (bytes.length <= maxContinuation) {
      bytes = join(begun, bytes);
      begun = nothing;
    }
    const end = boundary(bytes);
    this.#begun = bytes.slice(end);
    const isFirst = this.#isFirst && begun.length + end > 0;
    if (isFirst) this.#isFirst = false;
    return () => {
      const text = this.#decoder.decode(join(begun, bytes.subarray(0, end)));
      return isFirst && text.startsWith('\ufeff') ? text.slice(1) : text;
    };
  }

  /** Something is missing here: gives what is left of a character, and lets go of the rest of the next. */
  gap(): string {
    this.#headless = maxContinuation;
    return this.end();
  }

  /** What is left of a character that never became whole. */
  end(): string {
    const text = this.#decoder.decode(this.#begun);
    this.#begun = nothing;
    return text;
  }

  /** How many bytes at the beginning belong to a character whose own beginning is missing. */
  #missing(data: Uint8Array): number {
    let count = 0;
    while (count < Math.min(this.#headless, data.length) && isContinuation(data[count])) count++;
    // A character begins before the end of the piece, or the piece is too short to tell.
    this.#headless = count < data.length ? 0 : this.#headless - count;
    return count;
  }
}

/** Where the last character begins, if its rest is still to come; else the end. */
function boundary(bytes: Uint8Array): number {
  for (let back = 1; back <= maxContinuation && back <= bytes.length; back++) {
    const at = bytes.length - back;
    const byte = bytes[at] as number;
    if (isContinuation(byte)) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? at : bytes.length;
  }
  return bytes.length;
}

function isContinuation(byte = 0): boolean {
  return (byte & 0xc0) === 0x80;
}

function join(head: Uint8Array, rest: Uint8Array): Uint8Array {
  if (head.length === 0) return rest;
  const joined = new Uint8Array(head.length + rest.length);
  joined.set(head);
  joined.set(rest, head.length);
  return joined;
}
