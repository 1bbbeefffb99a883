/** As workerd's: it wants exactly as many bytes as it was told. */
export class FixedLengthStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor(length: number) {
    let left = length;
    super({
      transform(chunk, controller) {
        left -= chunk.length;
        if (left < 0) throw new TypeError('too many bytes');
        controller.enqueue(chunk);
      },
      flush() {
        if (left > 0) throw new TypeError('too few bytes');
      },
    });
  }
}
