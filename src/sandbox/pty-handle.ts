import type { Channel, ChannelEvent, ExitEvent, PtySize } from '../channel/channel.js';
import { CommandExitError, type CommandResult, InvalidArgumentError, SandboxError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { ProcessControls } from './process-controls.js';

/**
 * A terminal of a sandbox, as the bytes that it prints and takes.
 *
 * It is read by one reader: `onData`, a loop, or, where there is neither, `wait`, which throws the output away. Output
 * that nobody reads holds the terminal up. An `onData` that throws is not called again: the terminal is let go of, and
 * `wait` rejects with what was thrown.
 */
export class PtyHandle implements AsyncIterable<ChannelEvent> {
  /** The shell's process id in the sandbox. */
  readonly pid: number;
  /** The bytes underneath, with offsets, acknowledgements and the state of the link: for those who draw a terminal. */
  readonly channel: Channel;
  readonly #controls: ProcessControls;
  #reading: Promise<void> | undefined;
  /** Settles when the loop that reads is left. */
  #loop: Promise<void> | undefined;
  #exit: ExitEvent | undefined;

  /** @internal */
  constructor(
    channel: Channel,
    controls: ProcessControls,
    onData?: (data: Uint8Array) => void | Promise<void>,
  ) {
    this.pid = channel.pid;
    this.channel = channel;
    this.#controls = controls;
    if (onData) this.#read(onData).catch(() => channel.close());
  }

  /** The exit status, once the shell has ended and its output was read; -1 when a signal ended it. */
  get exitCode(): number | undefined {
    return this.#exit?.exitCode;
  }

  /** envd's words for an end other than exit status 0. */
  get error(): string | undefined {
    return this.#exit?.error;
  }

  /**
   * Reads the terminal. What was read is acknowledged when the next event is asked for.
   * @throws {InvalidArgumentError} code `already_reading`: somebody reads it, and two would share the output out.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ChannelEvent, void, undefined> {
    if (this.#loop) {
      throw new InvalidArgumentError(
        `Terminal ${this.pid} is being read already, by a loop, onData or wait(): read it in one place.`,
        { code: 'already_reading' },
      );
    }
    let left: () => void = () => undefined;
    this.#loop = new Promise((resolve) => {
      left = resolve;
    });
    try {
      for await (const event of this.channel) {
        if (event.type === 'exit') this.#exit = event;
        yield event;
        if (event.type === 'output') this.channel.ack(event.offset + event.data.length);
      }
    } finally {
      this.#loop = undefined;
      left();
    }
  }

  /** Sends input, in order: text as UTF-8, bytes as they are. Resolves when envd has taken it. */
  send(data: string | Uint8Array): Promise<void> {
    return this.channel.send(typeof data === 'string' ? new TextEncoder().encode(data) : data);
  }

  /** Wishes for a size; the newest wish wins, also over a link that is down. */
  resize(size: PtySize): void {
    this.channel.resize(checkedSize(size));
  }

  /**
   * Waits for the end of the shell. Where a loop reads, that one goes on; what it leaves is thrown away.
   * @throws {CommandExitError} the exit status is not 0.
   * @throws {SandboxError} code `disconnected`: the terminal was let go of before.
   */
  async wait(): Promise<CommandResult> {
    while (!this.#reading && this.#loop) await this.#loop;
    if (!this.#exit) await this.#read(() => undefined);
    if (!this.#exit) {
      throw new SandboxError(`The handle of terminal ${this.pid} was disconnected; the terminal lives on.`, {
        code: 'disconnected',
      });
    }
    const { exitCode, error } = this.#exit;
    const result = { exitCode, ...(error !== undefined && { error }), stdout: '', stderr: '' };
    if (exitCode !== 0) throw new CommandExitError(result);
    return result;
  }

  /** Kills the shell (SIGKILL); false when it had ended already. */
  kill(options?: CallOptions): Promise<boolean> {
    return this.#controls.kill(this.pid, options);
  }

  /** Lets go of the terminal; it lives on, and `pty.connect(pid)` finds it again. */
  async disconnect(): Promise<void> {
    this.channel.close();
  }

  #read(onData: (data: Uint8Array) => void | Promise<void>): Promise<void> {
    this.#reading ??= (async () => {
      for await (const event of this) if (event.type === 'output') await onData(event.data);
    })();
    return this.#reading;
  }
}

/** @throws {InvalidArgumentError} a size that no terminal can have. */
export function checkedSize({ cols, rows }: PtySize): PtySize {
  for (const [name, value] of Object.entries({ cols, rows })) {
    if (!Number.isInteger(value) || value < 1 || value > 0xffff) {
      throw new InvalidArgumentError(
        `The terminal's ${name} is ${value}: it must be a whole number from 1 to 65535.`,
      );
    }
  }
  return { cols, rows };
}
