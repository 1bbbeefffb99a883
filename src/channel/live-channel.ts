import type { CallOptions } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import { connectionLost } from '../transport/http-error.js';
import type { Channel, ChannelEvent, PtySize, PtyTarget } from './channel.js';
import type { Interrupt } from './interrupt.js';
import { connectProcess, namedProcess, type ProcessStream, startProcess } from './process-stream.js';
import { lostProcess, Reconnector } from './reconnector.js';
import { TerminalChannel } from './terminal-channel.js';
import { terminalProcess } from './terminal-process.js';

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

class LiveChannel extends TerminalChannel {
  readonly epoch: string = crypto.randomUUID();
  readonly replayUntil = 0;
  readonly #reconnector: Reconnector;
  readonly #signal: AbortSignal | undefined;
  #stream: ProcessStream;
  #offset = 0;
  /** Here, because the stream that the signal was given to may have been replaced. */
  readonly #onAbort = (): void => this.end(this.#signal?.reason);

  constructor(
    connection: Connection,
    stream: ProcessStream,
    size: PtySize | undefined,
    { signal, interrupt }: LiveChannelOptions,
  ) {
    super(connection, stream.pid, { size, interrupt });
    this.#signal = signal;
    this.#stream = stream;
    this.#reconnector = new Reconnector(connection, lostProcess(connection, stream, signal), {
      maxMs: Number.POSITIVE_INFINITY,
      onAttempt: (attempt, error) =>
        this.state.set({ state: 'reconnecting', attempt, error: error as Error }),
    });
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  reconnect(): void {
    this.#reconnector.wake();
  }

  protected async next(): Promise<ChannelEvent | undefined> {
    if (this.closing.aborted) return undefined;
    try {
      const { value, done } = await this.#stream.output.next();
      if (this.closing.aborted) return undefined;
      if (done) return await this.#takeUpAgain(connectionLost(undefined));
      if (value.type === 'end') {
        const { type: _type, ...end } = value;
        this.end();
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

  protected release(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stream.cancel();
  }

  /** Connects again until it works or cannot. */
  async #takeUpAgain(cause: unknown): Promise<ChannelEvent | undefined> {
    try {
      this.#stream = await this.#reconnector.reconnect(cause, this.closing);
    } catch (error) {
      this.end(namedProcess(error, this.pid));
      return undefined;
    }
    this.reopened();
    return { type: 'gap', from: this.#offset, to: null, reason: 'the connection to envd was lost' };
  }
}
