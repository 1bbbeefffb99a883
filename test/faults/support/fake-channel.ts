import type { Channel, ChannelEvent, ChannelStatus, PtySize } from '../../../src/channel/channel.js';
import { EventQueue } from '../../../src/channel/event-queue.js';

/** A terminal without a program: the test prints, and sees what arrives. */
export class FakeChannel implements Channel {
  readonly pid: number;
  readonly epoch: string = crypto.randomUUID();
  readonly replayUntil = 0;
  readonly status: ChannelStatus = { state: 'open' };
  /** All the input, as it was executed. */
  input: Uint8Array = new Uint8Array(0);
  readonly sizes: PtySize[] = [];
  /** The offset up to which output was read by the relay. */
  read = 0;
  acked = 0;
  closed = false;
  /** What a call of `send` waits for before it is executed. */
  beforeInput: (data: Uint8Array) => Promise<void> = async () => {};
  sends = 0;
  overlappingSends = 0;
  #sending = 0;
  readonly #events = new EventQueue<ChannelEvent>();
  #printed = 0;

  constructor(pid: number) {
    this.pid = pid;
  }

  print(data: Uint8Array | string): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    this.#events.push({ type: 'output', offset: this.#printed, data: bytes });
    this.#printed += bytes.length;
  }

  lose(reason: string): void {
    this.#events.push({ type: 'gap', from: this.#printed, to: null, reason });
  }

  exit(exitCode = 0): void {
    this.#events.push({ type: 'exit', exitCode, status: `exit status ${exitCode}` });
    this.#events.end();
  }

  fail(error: Error): void {
    this.#events.end(error);
  }

  onStatus(): () => void {
    return () => {};
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChannelEvent, void, undefined> {
    for await (const event of this.#events) {
      if (event.type === 'output') this.read = event.offset + event.data.length;
      yield event;
    }
  }

  ack(offset: number): void {
    this.acked = offset;
  }

  async send(data: Uint8Array): Promise<void> {
    this.sends++;
    this.#sending++;
    if (this.#sending > 1) this.overlappingSends++;
    try {
      await this.beforeInput(data);
      const joined = new Uint8Array(this.input.length + data.length);
      joined.set(this.input);
      joined.set(data, this.input.length);
      this.input = joined;
    } finally {
      this.#sending--;
    }
  }

  resize(size: PtySize): void {
    this.sizes.push(size);
  }

  reconnect(): void {}

  close(): void {
    this.closed = true;
    this.#events.end();
  }
}
