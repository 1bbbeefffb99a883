/** A channel that does what a test says. It runs in the page. */

interface Size {
  cols: number;
  rows: number;
}

export type ScriptedEvent =
  | { type: 'output'; offset: number; data: Uint8Array }
  | { type: 'gap'; from: number; to: number | null; reason: string }
  | { type: 'size'; offset: number; cols: number; rows: number }
  | { type: 'exit'; exitCode: number; status: string };

export type ScriptedStatus =
  | { state: 'open' }
  | { state: 'reconnecting'; attempt: number; error?: Error }
  | { state: 'closed'; error?: Error };

/** Who writes, as a test says. */
export class ScriptedSharing {
  mode: 'write' | 'read' = 'write';
  mayWrite = true;
  takeovers = 0;
  readonly listeners: Set<() => void> = new Set();

  set(mode: 'write' | 'read', mayWrite = true): void {
    Object.assign(this, { mode, mayWrite });
    for (const listener of this.listeners) listener();
  }

  onMode(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async takeOver(): Promise<void> {
    this.takeovers += 1;
    this.set('write');
  }
}

export class ScriptedChannel {
  readonly sharing = new ScriptedSharing();
  readonly pid: number;
  readonly epoch = 'scripted';
  replayUntil = 0;
  status: ScriptedStatus = { state: 'open' };
  readonly sent: Uint8Array[] = [];
  readonly acks: number[] = [];
  readonly resizes: Size[] = [];
  readonly listeners: Set<(status: ScriptedStatus) => void> = new Set();
  reconnects = 0;
  closed = false;
  /** Given out by `send` while set. */
  sendError: unknown;
  /** How many bytes of output were taken by the reader. */
  taken = 0;
  #offset = 0;
  #error: unknown;
  readonly #queue: ScriptedEvent[] = [];
  #wake: (() => void) | undefined;

  constructor(pid: number) {
    this.pid = pid;
  }

  print(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    this.#push({ type: 'output', offset: this.#offset, data: bytes });
    this.#offset += bytes.length;
  }

  gap(bytes: number): void {
    this.#push({ type: 'gap', from: this.#offset, to: this.#offset + bytes, reason: 'the test says so' });
    this.#offset += bytes;
  }

  size(cols: number, rows: number): void {
    this.#push({ type: 'size', offset: this.#offset, cols, rows });
  }

  exit(exitCode: number): void {
    this.#push({ type: 'exit', exitCode, status: `exit status ${exitCode}` });
  }

  setStatus(status: ScriptedStatus): void {
    this.status = status;
    for (const listener of this.listeners) listener(status);
  }

  fail(error: Error): void {
    this.#error = error;
    this.setStatus({ state: 'closed', error });
    this.#wake?.();
  }

  onStatus(listener: (status: ScriptedStatus) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  ack(offset: number): void {
    this.acks.push(offset);
  }

  async send(data: Uint8Array): Promise<void> {
    if (this.sendError) throw this.sendError;
    this.sent.push(data);
  }

  resize(size: Size): void {
    this.resizes.push(size);
  }

  reconnect(): void {
    this.reconnects += 1;
  }

  close(): void {
    this.closed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ScriptedEvent> {
    for (;;) {
      const event = this.#queue.shift();
      if (event) {
        if (event.type === 'output') this.taken += event.data.length;
        yield event;
        if (event.type === 'exit') return;
      } else if (this.#error) {
        throw this.#error;
      } else if (this.closed) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #push(event: ScriptedEvent): void {
    this.#queue.push(event);
    this.#wake?.();
  }
}

/** A sandbox whose shells are scripted channels; the newest is the last. */
export class ScriptedSandbox {
  readonly channels: ScriptedChannel[] = [];
  readonly asked: unknown[] = [];
  /** Given out by `create` and `connect` while set. */
  openError: unknown;
  readonly pty = {
    create: async (options: unknown) => this.#open({ create: options }, 100 + this.channels.length),
    connect: async (pid: number, options: unknown) => this.#open({ connect: pid, options }, pid),
  };

  get channel(): ScriptedChannel {
    const channel = this.channels.at(-1);
    if (!channel) throw new Error('no shell was opened yet');
    return channel;
  }

  #open(asked: unknown, pid: number) {
    this.asked.push(asked);
    if (this.openError) throw this.openError;
    const channel = new ScriptedChannel(pid);
    this.channels.push(channel);
    return { pid, channel, disconnect: () => channel.close() };
  }
}
