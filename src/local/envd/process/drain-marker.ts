import { randomInt } from 'node:crypto';

/**
 * A mark that is written to a terminal behind everything that a program wrote, and recognised, and taken out,
 * when it has come through. Digits only, because no terminal mode changes those.
 */
export class DrainMarker {
  readonly bytes: Buffer = Buffer.from(Array.from({ length: 32 }, () => randomInt(10)).join(''));
  #tail: Buffer = Buffer.alloc(0);

  /** What of a chunk is output, and whether the mark has been seen. A possible beginning of it is kept back. */
  filter(chunk: Buffer): { output: Buffer; seen: boolean } {
    const data = this.#tail.length > 0 ? Buffer.concat([this.#tail, chunk]) : chunk;
    const at = data.indexOf(this.bytes);
    if (at >= 0) {
      this.#tail = Buffer.alloc(0);
      const rest = data.subarray(at + this.bytes.length);
      return { output: Buffer.concat([data.subarray(0, at), rest]), seen: true };
    }
    const kept = this.#possibleStart(data);
    this.#tail = data.subarray(data.length - kept);
    return { output: data.subarray(0, data.length - kept), seen: false };
  }

  /** What was kept back, when no more is to come. */
  flush(): Buffer {
    const tail = this.#tail;
    this.#tail = Buffer.alloc(0);
    return tail;
  }

  #possibleStart(data: Buffer): number {
    for (let size = Math.min(this.bytes.length - 1, data.length); size > 0; size--) {
      if (data.subarray(data.length - size).equals(this.bytes.subarray(0, size))) return size;
    }
    return 0;
  }
}
