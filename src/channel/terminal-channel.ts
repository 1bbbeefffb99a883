import { ConnectionError } from '../errors.js';
import type { Connection } from '../transport/connection.js';
import type { Channel, ChannelEvent, ChannelStatus, PtySize } from './channel.js';
import { InputQueue, notExecuted } from './input-queue.js';
import { type Interrupt, interruptBy } from './interrupt.js';
import { StatusEmitter } from './status-emitter.js';

const closed = 'the terminal is closed';

/** What a channel is made of, however its output comes. */
export interface TerminalChannelOptions {
  /** That the terminal has already. */
  size?: PtySize | undefined;
  /** How an interrupt key is let through to a program that does not read. Default: straight by envd. */
  interrupt?: Interrupt | undefined;
  /** Whether `script` stands between, which takes in what the shell's programs do not read. */
  isTakenAhead?: boolean;
}

/** A terminal straight by envd: its input, its size and its state. How its output comes is up to the class. */
export abstract class TerminalChannel implements Channel {
  abstract readonly epoch: string;
  abstract readonly replayUntil: number;
  readonly pid: number;
  protected readonly state: StatusEmitter = new StatusEmitter();
  readonly #connection: Connection;
  readonly #input: InputQueue;
  readonly #closing = new AbortController();
  #size: PtySize | undefined;
  #resizing: Promise<void> | undefined;

  constructor(
    connection: Connection,
    pid: number,
    { size, interrupt = interruptBy(connection), isTakenAhead }: TerminalChannelOptions,
  ) {
    this.pid = pid;
    this.#connection = connection;
    this.#size = size;
    this.#input = new InputQueue(
      connection,
      pid,
      'pty',
      (of, key) => interrupt(of, key, this.closing),
      isTakenAhead,
    );
  }

  get status(): ChannelStatus {
    return this.state.current;
  }

  onStatus(listener: (status: ChannelStatus) => void): () => void {
    return this.state.on(listener);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChannelEvent, void, undefined> {
    for (;;) {
      const event = await this.next();
      if (event) yield event;
      else if (this.closing.aborted) break;
    }
    const { status } = this;
    if (status.state === 'closed' && status.error) throw status.error;
  }

  /** Reading is the acknowledgement: what is not read stays where it is. */
  ack(): void {}

  async send(data: Uint8Array): Promise<void> {
    if (this.closing.aborted) throw notExecuted(closed);
    await this.#input.send(data).catch((error: unknown) => {
      throw error instanceof ConnectionError ? error : notExecuted('envd refused it', error);
    });
  }

  resize(size: PtySize): void {
    this.#size = size;
    this.#resizing ??= this.#sendSize().finally(() => {
      this.#resizing = undefined;
    });
  }

  abstract reconnect(): void;

  close(): void {
    this.end();
  }

  /** The next event; undefined where there is none yet, and once the channel has ended. */
  protected abstract next(): Promise<ChannelEvent | undefined>;

  /** Lets go of what the output comes from. */
  protected abstract release(): void;

  /** Aborts when the channel ends. */
  protected get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** The link is up again; the size is told again, as the wish for it may have been lost. */
  protected reopened(): void {
    this.state.set({ state: 'open' });
    if (this.#size) this.resize(this.#size);
  }

  protected end(error?: unknown): void {
    if (this.closing.aborted) return;
    this.#closing.abort(new Error(closed));
    this.release();
    this.#input.drop(closed);
    this.state.set({ state: 'closed', ...(error !== undefined && { error: error as Error }) });
  }

  /** Sends the newest size, one call at a time. */
  async #sendSize(): Promise<void> {
    const process = { selector: { case: 'pid' as const, value: this.pid } };
    let size = this.#size;
    while (size && !this.closing.aborted) {
      const pty = { size };
      await this.#connection
        .call({ signal: this.closing }, 'pty.resize', (rpc, signal) =>
          rpc.process.update({ process, pty }, { signal }),
        )
        // The wish is kept: it is sent again with the next connection.
        .catch(() => undefined);
      size = this.#size === size ? undefined : this.#size;
    }
  }
}
