import { connectProcess, type ProcessStream } from '../channel/process-stream.js';
import { CommandExitError, type CommandResult, SandboxError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import { connectionLost } from '../transport/http-error.js';
import { OutputLog, type OutputPiece } from './output-log.js';
import type { ProcessControls } from './process-controls.js';

/** Something that a running command did. */
export type CommandEvent =
  | {
      type: 'stdout' | 'stderr';
      /** As text; a character that is cut between two pieces comes with the second. */
      data: string;
      /** The same, exactly as it was printed. */
      bytes: Uint8Array;
    }
  | {
      /** Always the last. */
      type: 'exit';
      /** The exit status; -1 when a signal ended the command. */
      exitCode: number;
      /** envd's words for an end other than exit status 0. */
      error?: string;
    };

/** Who wants to hear of output. May be asynchronous: the next piece waits for it. */
export interface OutputListeners {
  onStdout?: (data: string) => void | Promise<void>;
  onStderr?: (data: string) => void | Promise<void>;
}

export interface CommandHandleOptions extends OutputListeners {
  /**
   * Whether the handle keeps all output, for `stdout`, `stderr` and the result. Default true. With false they stay
   * empty, and output goes to the listeners and the loops that there are at that moment: right for a command that
   * prints for ever.
   */
  keepOutput?: boolean;
}

/**
 * A running command: its result, its output and its controls.
 *
 * <!-- example: throws CommandExitError -->
 * ```ts
 * const command = await sandbox.commands.run('npm run build', { background: true })
 * for await (const event of command) if (event.type === 'stdout') show(event.data)
 * const { exitCode } = await command.wait()
 * ```
 *
 * It is read from the moment it exists, so a command is not held up by a handle that nobody looks at. A loop sees
 * everything from the beginning (with `keepOutput`), may be slow (the command then waits), and may be left: then,
 * unless somebody else listens or waits, the stream is cancelled, and the command runs on. Another loop or `wait`
 * takes the stream up again; what was printed in between is not seen.
 */
export class CommandHandle implements AsyncIterable<CommandEvent> {
  /** The command's process id in the sandbox. */
  readonly pid: number;
  readonly #connection: Connection;
  readonly #controls: ProcessControls;
  readonly #listeners: OutputListeners;
  readonly #log: OutputLog;
  #stream: ProcessStream | undefined;
  /** Settles when the stream is over: resolved by the end of the command, rejected by anything else. */
  #reading: Promise<void> | undefined;
  #waiting = 0;
  #end: { exitCode: number; error?: string } | undefined;

  /** @internal */
  constructor(
    connection: Connection,
    controls: ProcessControls,
    stream: ProcessStream,
    options: CommandHandleOptions = {},
  ) {
    this.pid = stream.pid;
    this.#connection = connection;
    this.#controls = controls;
    this.#listeners = options;
    this.#log = new OutputLog(options.keepOutput ?? true);
    this.#attach(stream);
  }

  /** The exit status, once the command has ended; -1 when a signal ended it. */
  get exitCode(): number | undefined {
    return this.#end?.exitCode;
  }

  /** envd's words for an end other than exit status 0. */
  get error(): string | undefined {
    return this.#end?.error;
  }

  /** What it printed so far. */
  get stdout(): string {
    return this.#log.text('stdout');
  }

  /** What it printed so far as errors. */
  get stderr(): string {
    return this.#log.text('stderr');
  }

  /**
   * Waits for the end.
   * @throws {CommandExitError} the exit status is not 0.
   * @throws {TimeoutError} code `command_timeout`: `timeoutMs` was over, and envd killed the command.
   * @throws {ConnectionError} code `connection_lost`: the command may still run; `commands.connect(pid)` finds it.
   */
  async wait(): Promise<CommandResult> {
    this.#waiting++;
    try {
      await this.#read();
    } finally {
      this.#waiting--;
    }
    const result: CommandResult = { exitCode: -1, ...this.#end, stdout: this.stdout, stderr: this.stderr };
    if (result.exitCode !== 0) throw new CommandExitError(result);
    return result;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CommandEvent, void, undefined> {
    // A failure is thrown below, after what came before it.
    const reading = this.#read();
    reading.catch(() => undefined);
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    try {
      for await (const { type, data } of this.#log.read()) {
        yield { type, data: decoders[type].decode(data, { stream: true }), bytes: data };
      }
      await reading;
      for (const type of ['stdout', 'stderr'] as const) {
        const data = decoders[type].decode();
        if (data) yield { type, data, bytes: new Uint8Array() };
      }
      yield { type: 'exit', exitCode: -1, ...this.#end };
    } finally {
      const { onStdout, onStderr } = this.#listeners;
      if (!this.#log.hasReaders && this.#waiting === 0 && !onStdout && !onStderr) this.#detach();
    }
  }

  /**
   * Kills the command (SIGKILL; programs that it started live on).
   * @returns false when it had ended already.
   */
  kill(options?: CallOptions): Promise<boolean> {
    return this.#controls.kill(this.pid, options);
  }

  /** Sends input, in order. The command must have been started with `stdin: true`. */
  sendStdin(data: string | Uint8Array, options?: CallOptions): Promise<void> {
    return this.#controls.sendStdin(this.pid, data, options);
  }

  /** Ends the input (envd 0.5.2). */
  closeStdin(options?: CallOptions): Promise<void> {
    return this.#controls.closeStdin(this.pid, options);
  }

  /** Stops listening. The command lives on; who waits for it gets an error with code `disconnected`. */
  async disconnect(): Promise<void> {
    this.#detach();
  }

  /** The stream that there is, or a new one where the last was left. */
  #read(): Promise<void> {
    if (!this.#reading) {
      this.#log.reopen();
      this.#reading = connectProcess(this.#connection, this.pid, {}, 'command.wait').then(
        (stream) => this.#attach(stream),
        (error: unknown) => {
          this.#reading = undefined;
          this.#log.end();
          throw error;
        },
      );
    }
    return this.#reading;
  }

  #attach(stream: ProcessStream): Promise<void> {
    this.#stream = stream;
    const reading = this.#pump(stream).finally(() => {
      // A stream that was left may end when the next one is already being read.
      if (this.#reading === reading) this.#log.end();
    });
    // Whoever waits hears of a failure; nobody needs to.
    reading.catch(() => undefined);
    this.#reading = reading;
    return reading;
  }

  async #pump(stream: ProcessStream): Promise<void> {
    const listeners = [
      new TextListener('stdout', this.#listeners.onStdout),
      new TextListener('stderr', this.#listeners.onStderr),
    ];
    for await (const event of stream.output) {
      if (event.type === 'end') {
        for (const listener of listeners) await listener.end();
        this.#end = { exitCode: event.exitCode, ...(event.error !== undefined && { error: event.error }) };
        this.#stream = undefined;
        return;
      }
      if (event.type === 'pty') continue;
      const piece = { type: event.type, data: event.data };
      for (const listener of listeners) await listener.hear(piece);
      if (this.#stream === stream) await this.#log.write(piece);
    }
    throw this.#stream === stream ? connectionLost(undefined) : disconnected(this.pid);
  }

  #detach(): void {
    const stream = this.#stream;
    if (!stream) return;
    this.#stream = undefined;
    this.#reading = undefined;
    this.#log.end();
    stream.cancel();
  }
}

/** Hands one kind of output on as text. */
class TextListener {
  readonly #type: OutputPiece['type'];
  readonly #listener: ((data: string) => void | Promise<void>) | undefined;
  readonly #decoder = new TextDecoder();

  constructor(type: OutputPiece['type'], listener: ((data: string) => void | Promise<void>) | undefined) {
    this.#type = type;
    this.#listener = listener;
  }

  async hear({ type, data }: OutputPiece): Promise<void> {
    if (type === this.#type) await this.#say(data);
  }

  /** What is left of a character that never became whole. */
  async end(): Promise<void> {
    await this.#say();
  }

  async #say(data?: Uint8Array): Promise<void> {
    if (!this.#listener) return;
    const text = this.#decoder.decode(data, { stream: data !== undefined });
    if (text) await this.#listener(text);
  }
}

function disconnected(pid: number): SandboxError {
  return new SandboxError(`The handle of process ${pid} was disconnected; the process lives on.`, {
    code: 'disconnected',
  });
}
