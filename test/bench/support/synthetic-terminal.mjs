/** envd sends what a terminal printed in pieces of at most this size. */
const pieceBytes = 32 * 1024;
const piece = new Uint8Array(pieceBytes).map((_, at) => 32 + (at % 90));

/** So many bytes of output. */
export function* synthetic(bytes) {
  for (let left = bytes; left > 0; left -= pieceBytes) yield piece.subarray(0, Math.min(left, pieceBytes));
}

/** A channel to a terminal that prints so many bytes once something was typed, as fast as they are read. */
export class SyntheticTerminal {
  static #pids = 1;
  pid = SyntheticTerminal.#pids++;
  epoch = 'synthetic';
  replayUntil = 0;
  status = { state: 'open' };
  #bytes;
  #typed;
  #type;

  constructor(bytes) {
    this.#bytes = bytes;
    this.#typed = new Promise((resolve) => {
      this.#type = resolve;
    });
  }

  onStatus() {
    return () => undefined;
  }

  async *[Symbol.asyncIterator]() {
    await this.#typed;
    let offset = 0;
    for (const data of synthetic(this.#bytes)) {
      yield { type: 'output', offset, data };
      offset += data.length;
    }
    yield { type: 'exit', exitCode: 0, status: 'exit status 0' };
  }

  ack() {}

  async send() {
    this.#type();
  }

  resize() {}

  reconnect() {}

  close() {
    this.#type();
  }
}
