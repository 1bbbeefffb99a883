import type { Channel, ChannelEvent } from '../../../src/channel/channel.js';

/** Reads a channel to its end in the background. */
export class Reader {
  readonly events: ChannelEvent[] = [];
  readonly done: Promise<void>;
  length = 0;
  error: unknown;
  readonly #channel: Channel;
  readonly #changed = new Set<() => void>();

  constructor(channel: Channel, beforeAck: () => Promise<void> | void = () => {}) {
    this.#channel = channel;
    this.done = this.#read(beforeAck);
  }

  get bytes(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const event of this.events) {
      if (event.type !== 'output') continue;
      bytes.set(event.data, at);
      at += event.data.length;
    }
    return bytes;
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** Resolves when a condition holds; it is looked at after each event. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const changed = () => {
          this.#changed.delete(changed);
          resolve();
        };
        this.#changed.add(changed);
      });
    }
  }

  async #read(beforeAck: () => Promise<void> | void): Promise<void> {
    try {
      for await (const event of this.#channel) {
        this.events.push(event);
        if (event.type === 'output') {
          this.length += event.data.length;
          await beforeAck();
          this.#channel.ack(event.offset + event.data.length);
        }
        for (const changed of [...this.#changed]) changed();
      }
    } catch (error) {
      this.error = error;
    }
    for (const changed of [...this.#changed]) changed();
  }
}
