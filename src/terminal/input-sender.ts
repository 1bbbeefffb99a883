import type { Channel } from '../channel/channel.js';

/** Typed bytes that the terminal's program did not get, or may not have got. */
export interface RejectedInput {
  data: Uint8Array;
  /** Its code is `input_not_executed` or `input_uncertain`. */
  error: unknown;
}

/** Sends what is typed, and tells what did not arrive. */
export class InputSender {
  readonly #channel: Channel;
  readonly #rejected: (input: RejectedInput) => void;
  readonly #pending: Set<{ dropped: boolean }> = new Set();

  constructor(channel: Channel, rejected: (input: RejectedInput) => void) {
    this.#channel = channel;
    this.#rejected = rejected;
  }

  send(data: Uint8Array): void {
    // Ctrl-C, Ctrl-Z and Ctrl-\ throw away what still waits: nobody is to be asked to send that again.
    if (data.some(interrupts)) this.drop();
    const entry = { dropped: false };
    this.#pending.add(entry);
    this.#channel
      .send(data)
      .catch((error: unknown) => {
        if (!entry.dropped) this.#rejected({ data, error });
      })
      .finally(() => this.#pending.delete(entry));
  }

  /** What waits now is not reported any more. */
  drop(): void {
    for (const entry of this.#pending) entry.dropped = true;
  }
}

function interrupts(byte: number): boolean {
  return byte === 0x03 || byte === 0x1a || byte === 0x1c;
}
