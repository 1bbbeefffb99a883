import { ConnectionError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import { connectionLost } from '../transport/http-error.js';
import type { Channel, ChannelEvent, ChannelStatus, PtySize, PtyTarget } from './channel.js';
import { InputQueue, notExecuted } from './input-queue.js';
import { type Interrupt, interruptBy } from './interrupt.js';
import { connectProcess, namedProcess, type ProcessStream, startProcess } from './process-stream.js';
import { lostProcess, Reconnector } from './reconnector.js';
import { StatusEmitter } from './status-emitter.js';

export interface LiveChannelOptions extends CallOptions {
  /** How an interrupt key is let through to a program that does not read. Default: straight by envd. */
  interrupt?: Interrupt;
}

/**
 * Opens a terminal by Connect: its output is envd's own stream, its input one call after the other. envd keeps no
 * output for those who come back, so a stream that is lost is taken up again with a declared gap of unknown length.
 */
export async function openLiveChannel(
  connection: Connection,
  target: PtyTarget,
  options: LiveChannelOptions = {},
): Promise<Channel> {
  const stream =
    'pid' in target
      ? await connectProcess(connection, target.pid, options, 'pty.connect')
      : await startProcess(connection, terminalProcess(target.create), options, 'pty.create');
  const size = 'pid' in target ? undefined : target.create.size;
  return new LiveChannel(connection, stream, size, options);
}

function terminalProcess({
  size,
  user,
  cwd,
  envs,
  timeoutMs = 0,
}: Extract<PtyTarget, { create: unknown }>['create']) {
  return {
    cmd: '/bin/bash',
    args: ['-i', '-l'],
    // envd sets none of these.
    envs: { TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...envs },
    user,
    cwd,
    pty: size,
    timeoutMs,
  };
}

class LiveChannel implements Channel {
  readonly pid: number;
  readonly epoch: string = crypto.randomUUID();
  readonly replayUntil = 0;
  readonly #connection: Connection;
  readonly #input: InputQueue;
  readonly #status = new StatusEmitter();
  readonly #reconnector: Reconnector;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal | undefined;
  #stream: ProcessStream;
  #offset = 0;
  #ended = false;
  #size: PtySize | undefined;
  #resizing: Promise<void> | undefined;
  /** Here, because the stream that the signal was given to may have been replaced. */
  readonly #onAbort = (): void => this.#end(this.#signal?.reason);

  constructor(
    connection: Connection,
    stream: ProcessStream,
    size: PtySize | undefined,
    { signal, interrupt = interruptBy(connection) }: LiveChannelOptions,
  ) {
    this.#signal = signal;
    this.#connection = connection;
    this.#stream = stream;
    this.#size = size;
    this.pid = stream.pid;
    this.#input = new InputQueue(connection, stream.pid, 'pty', (pid, key) =>
      interrupt(pid, key, this.#closing.signal),
    );
    this.#reconnector = new Reconnector(connection, lostProcess(connection, stream, signal), {
      maxMs: Number.POSITIVE_INFINITY,
      onAttempt: (attempt, error) =>
        this.#status.set({ state: 'reconnecting', attempt, error: error as Error }),
    });
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get status(): ChannelStatus {
    return this.#status.current;
  }

  onStatus(listener: (status: ChannelStatus) => void): () => void {
    return this.#status.on(listener);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChannelEvent, void, undefined> {
    while (!this.#ended) {
      const event = await this.#next();
      if (event) yield event;
    }
    const { current } = this.#status;
    if (current.state === 'closed' && current.error) throw current.error;
  }

  /** Reading is the acknowledgement: what is not read stays with envd. */
  ack(): void {}

  async send(data: Uint8Array): Promise<void> {
    if (this.#ended) throw notExecuted('the terminal is closed');
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

  reconnect(): void {
    this.#reconnector.wake();
  }

  close(): void {
    this.#end();
  }

  async #next(): Promise<ChannelEvent | undefined> {
    try {
      const { value, done } = await this.#stream.output.next();
      if (this.#ended) return undefined;
      if (done) return await this.#takeUpAgain(connectionLost(undefined));
      if (value.type === 'end') {
        const { type: _type, ...end } = value;
        this.#end();
        return { type: 'exit', ...end };
      }
      if (value.type !== 'pty') return undefined;
      const event: ChannelEvent = { type: 'output', offset: this.#offset, data: value.data };
      this.#offset += value.data.length;
      return event;
    } catch (error) {
      return await this.#takeUpAgain(error);
    }
  }

  /** Connects again until it works or cannot. */
  async #takeUpAgain(cause: unknown): Promise<ChannelEvent | undefined> {
    try {
      this.#stream = await this.#reconnector.reconnect(cause, this.#closing.signal);
    } catch (error) {
      this.#end(error as Error);
      return undefined;
    }
    this.#status.set({ state: 'open' });
    if (this.#size) this.resize(this.#size);
    return { type: 'gap', from: this.#offset, to: null, reason: 'the connection to envd was lost' };
  }

  /** Sends the newest size, one call at a time. */
  async #sendSize(): Promise<void> {
    const process = { selector: { case: 'pid' as const, value: this.pid } };
    for (let size = this.#size; size && !this.#ended; size = this.#size === size ? undefined : this.#size) {
      await this.#connection
        .call({ signal: this.#closing.signal }, 'pty.resize', (rpc, signal) =>
          rpc.process.update({ process, pty: { size } }, { signal }),
        )
        // The wish is kept: it is sent again with the next connection.
        .catch(() => undefined);
    }
  }

  #end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stream.cancel();
    this.#closing.abort(new Error('the terminal is closed'));
    this.#input.drop('the terminal is closed');
    this.#status.set({ state: 'closed', ...(error && { error: namedProcess(error, this.pid) as Error }) });
  }
}
