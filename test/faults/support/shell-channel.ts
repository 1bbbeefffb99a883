import { type IPty, spawn } from '@lydell/node-pty';
import type { Channel, ChannelEvent, ChannelStatus, PtySize } from '../../../src/channel/channel.js';
import { EventQueue } from '../../../src/channel/event-queue.js';

/** A program on a real pseudo-terminal of this machine. */
export class ShellChannel implements Channel {
  readonly pid: number;
  readonly epoch = 'shell';
  readonly replayUntil = 0;
  readonly status: ChannelStatus = { state: 'open' };
  readonly #pty: IPty;
  readonly #events = new EventQueue<ChannelEvent>();
  #printed = 0;
  #exited = false;

  constructor(script: string) {
    this.#pty = spawn('/bin/sh', ['-c', script], { cols: 80, rows: 24, encoding: null });
    this.pid = this.#pty.pid;
    this.#pty.onData((data) => {
      const bytes = new Uint8Array(data as unknown as Buffer);
      this.#events.push({ type: 'output', offset: this.#printed, data: bytes });
      this.#printed += bytes.length;
    });
    this.#pty.onExit(({ exitCode }) => {
      this.#exited = true;
      this.#events.push({ type: 'exit', exitCode, status: `exit status ${exitCode}` });
      this.#events.end();
    });
  }

  onStatus(): () => void {
    return () => {};
  }

  [Symbol.asyncIterator](): AsyncIterator<ChannelEvent> {
    return this.#events[Symbol.asyncIterator]();
  }

  ack(): void {}

  async send(data: Uint8Array): Promise<void> {
    // It takes bytes as well, whatever its types say; a string would be encoded.
    this.#pty.write(Buffer.from(data) as unknown as string);
  }

  resize({ cols, rows }: PtySize): void {
    if (!this.#exited) this.#pty.resize(cols, rows);
  }

  reconnect(): void {}

  close(): void {
    if (!this.#exited && this.pid > 1) this.#pty.kill();
  }
}
