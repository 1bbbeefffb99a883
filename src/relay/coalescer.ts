import { maxPayloadBytes } from '../wire/pty-frame.js';

/** What comes within this time of the last is sent together, in milliseconds. */
const coalesceMs = 2;

/** Has output sent: the first byte at once, and what follows on its heels together, as soon as a frame is full. */
export class Coalescer {
  readonly #send: () => void;
  #waits = false;
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: () => void) {
    this.#send = send;
  }

  /** So many bytes have come, or a place without any. */
  add(bytes: number): void {
    this.#waits = true;
    this.#bytes += bytes;
    if (this.#timer === undefined || this.#bytes >= maxPayloadBytes) this.#flush();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #flush(): void {
    this.#waits = false;
    this.#bytes = 0;
    this.stop();
    this.#send();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#waits) this.#flush();
    }, coalesceMs);
  }
}
