/** How many bytes of a UTF-8 character can follow its first. */
const maxContinuation = 3;

/** Decodes UTF-8 that comes in pieces, some of which may be missing. */
export class OutputDecoder {
  readonly #decoder = new TextDecoder();
  /** How many bytes may still belong to a character whose beginning is missing. */
  #headless = 0;

  /** What became whole with this piece. */
  decode(data: Uint8Array): string {
    let from = 0;
    while (this.#headless > 0 && from < data.length) {
      if (!isContinuation(data[from])) this.#headless = 0;
      else {
        this.#headless--;
        from++;
      }
    }
    return this.#decoder.decode(data.subarray(from), { stream: true });
  }

  /** Something is missing here: gives what is left of a character, and lets go of the rest of the next. */
  gap(): string {
    this.#headless = maxContinuation;
    return this.end();
  }

  /** What is left of a character that never became whole. */
  end(): string {
    return this.#decoder.decode();
  }
}

function isContinuation(byte = 0): boolean {
  return (byte & 0xc0) === 0x80;
}
