import { envelopeHeadBytes } from '../wire/envelope.js';

/** Follows a stream of envelopes without keeping any of it, so as to know where another one can be put in. */
export class EnvelopeEdge {
  readonly #head = new Uint8Array(envelopeHeadBytes);
  #filled = 0;
  #payloadLeft = 0;

  /** Whether what was passed on so far ends with a whole envelope. */
  get isBetween(): boolean {
    return this.#filled === 0 && this.#payloadLeft === 0;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= taken;
        at += taken;
        continue;
      }
      this.#head[this.#filled] = chunk[at] as number;
      this.#filled++;
      at++;
      if (this.#filled < envelopeHeadBytes) continue;
      this.#payloadLeft = new DataView(this.#head.buffer).getUint32(1);
      this.#filled = 0;
    }
  }
}
