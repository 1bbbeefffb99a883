import type { Channel, ChannelEvent, ChannelMode, ExitEvent, PtySize } from '../channel/channel.js';
import { type CommandResult, InvalidArgumentError, SandboxError, TimeoutError } from '../errors.js';
import { timeLimit } from '../transport/call-options.js';
import { check, checkOptions } from '../transport/check-options.js';
import { CommandHandle } from './command-handle.js';
import { bytesOf, textOrBytes } from './input-source.js';
import type { KillOptions } from './kill-options.js';
import type { ProcessControls } from './process-controls.js';
import { sizeRules } from './pty-options.js';

/** How a terminal is listened to. */
export interface PtyListening {
  onData?: ((data: Uint8Array) => void | Promise<void>) | undefined;
  /** How long, in milliseconds; 0 and absent: until the end. */
  timeoutMs?: number | undefined;
  /** How a durable terminal is signalled. */
  kill?: ((options?: KillOptions) => Promise<boolean>) | undefined;
}

/**
 * A terminal of a sandbox, as the bytes that it prints and takes.
 *
 * It is read by one reader: `onData`, a loop, or, where there is neither, `wait`, which throws the output away. Output
 * that nobody reads holds the terminal up. An `onData` that throws is not called again: the terminal is let go of, and
 * `wait` rejects with what was thrown.
 */
export class PtyHandle extends CommandHandle {
  /** The shell's process id in the sandbox. */
  readonly pid: number;
  /** The bytes underneath, with offsets, acknowledgements and the state of the link: for those who draw a terminal. */
  readonly channel: Channel;
  /** What `pty.connect` takes, from any program; absent where the output is not kept. */
  declare readonly durableId?: string;
  readonly #kill: PtyListening['kill'];
  readonly #controls: ProcessControls;
  #reading: Promise<void> | undefined;
  /** Settles when the loop that reads is left. */
  #loop: Promise<void> | undefined;
  #exit: ExitEvent | undefined;
  #timeIsOver: TimeoutError | undefined;

  /** @internal */
  constructor(
    channel: Channel,
    controls: ProcessControls,
    { onData, timeoutMs = 0, kill }: PtyListening = {},
  ) {
    super();
    if (channel.durable) this.durableId = channel.epoch;
    this.#kill = kill;
    this.pid = channel.pid;
    this.channel = channel;
    this.#controls = controls;
    if (timeoutMs > 0) this.#limit(timeoutMs);
    if (onData) this.#read(onData).catch(() => channel.close());
  }

  /** Whether all of its output is kept in the sandbox. */
  get durable(): boolean {
    return this.channel.durable ?? false;
  }

  get exitCode(): number | undefined {
    return this.#exit?.exitCode;
  }

  get error(): string | undefined {
    return this.#exit?.error;
  }

  /** Empty: a terminal's output is bytes, by `onData` or a loop. */
  get stdout(): string {
    return '';
  }

  /** Empty: a terminal has one output. */
  get stderr(): string {
    return '';
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
      if (!this.#exit && this.#timeIsOver) throw this.#timeIsOver;
    } finally {
      this.#loop = undefined;
      left();
    }
  }

  /** Sends input, in order: text as UTF-8, bytes as they are. Resolves when envd has taken it. */
  async send(data: string | Uint8Array): Promise<void> {
    check('pty.send: data', data, textOrBytes);
    await this.channel.send(bytesOf(data));
  }

  /** Wishes for a size; the newest wish wins, also over a link that is down. */
  resize(size: PtySize): void {
    this.channel.resize(checkedSize('pty.resize', size));
  }

  /**
   * `write`: what is sent here is executed, and the terminal has this one's size. `read`: this one watches, because another
   * window has taken over, or because the session may only watch. Straight to envd everybody writes.
   */
  get mode(): ChannelMode {
    return this.channel.sharing?.mode ?? 'write';
  }

  /** Calls back when `mode` changes, as when another window takes over. Returns what ends that. */
  onMode(listener: (mode: ChannelMode) => void): () => void {
    return this.channel.sharing?.onMode(listener) ?? (() => undefined);
  }

  /**
   * Takes the writing over from the window that has it, which watches from then on: what it had typed and was not sent yet
   * is not executed, and it is told. Resolves when this one may write; a link that is down is waited for.
   * @throws {PermissionDeniedError} code `read_only`: the session may only watch.
   */
  async takeOver(): Promise<void> {
    await this.channel.sharing?.takeOver();
  }

  /**
   * Waits for the end of the shell, whatever the exit status is. Where a loop reads, that one goes on; what it leaves is
   * thrown away.
   * @throws {SandboxError} code `disconnected`: the terminal was let go of before.
   * @throws {TimeoutError} code `command_timeout`: `timeoutMs` was over.
   */
  async finished(): Promise<CommandResult> {
    while (!this.#reading && this.#loop) await this.#loop;
    if (!this.#exit) await this.#read(() => undefined);
    if (!this.#exit) {
      throw new SandboxError(`The handle of terminal ${this.pid} was disconnected; the terminal lives on.`, {
        code: 'disconnected',
      });
    }
    const { exitCode, error } = this.#exit;
    return { exitCode, ...(error !== undefined && { error }), stdout: '', stderr: '' };
  }

  async kill(options?: KillOptions): Promise<boolean> {
    // Its id may be another's by now.
    if (this.#exit) return false;
    return this.#kill ? this.#kill(options) : this.#controls.kill(this.pid, options);
  }

  /** Lets go of the terminal; it lives on, and `pty.connect(pid)` finds it again. */
  async disconnect(): Promise<void> {
    this.channel.close();
  }

  /** Rejects, as in the official SDK: a terminal has no stdin of its own. Use `send`. */
  async sendStdin(): Promise<void> {
    throw noStdin('send input to it with send()');
  }

  /** Rejects, as in the official SDK: a terminal's input does not end. */
  async closeStdin(): Promise<void> {
    throw noStdin("press Ctrl-D in it with send('\\x04')");
  }

  #read(onData: (data: Uint8Array) => void | Promise<void>): Promise<void> {
    this.#reading ??= (async () => {
      for await (const event of this) if (event.type === 'output') await onData(event.data);
    })();
    return this.#reading;
  }

  #limit(timeoutMs: number): void {
    const ms = timeLimit(timeoutMs, 'timeoutMs');
    if (ms === 0) return;
    const timer = setTimeout(() => {
      this.#timeIsOver = new TimeoutError('The time given by timeoutMs is over.', {
        code: 'command_timeout',
      });
      this.channel.close();
    }, ms);
    this.channel.onStatus(({ state }) => state === 'closed' && clearTimeout(timer));
  }
}

/** @throws {InvalidArgumentError} a size that no terminal can have. */
export function checkedSize(what: string, size: PtySize): PtySize {
  checkOptions(what, size, sizeRules);
  const { cols, rows } = size;
  check(`${what}: cols`, cols, sizeRules.cols);
  check(`${what}: rows`, rows, sizeRules.rows);
  return { cols, rows };
}

function noStdin(instead: string): SandboxError {
  return new SandboxError(`A terminal has no stdin: ${instead}.`, { code: 'not_supported' });
}
