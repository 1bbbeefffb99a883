import type { OutputSource } from '../channel/lasting-stream.js';
import { type CommandResult, SandboxError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { CommandEvent } from './command-event.js';
import { CommandHandle } from './command-handle.js';
import { feedInput } from './feed-input.js';
import type { InputSource } from './input-source.js';
import type { KillOptions } from './kill-options.js';
import { OutputDecoder } from './output-decoder.js';
import { type OutputListeners, TextListener } from './output-listeners.js';
import {
  type OutputBytes,
  type OutputEntry,
  type OutputGap,
  OutputLog,
  type OutputPiece,
} from './output-log.js';
import type { ProcessControls } from './process-controls.js';

/** What a command is read with. */
export interface RunningCommandOptions extends OutputListeners {
  maxRetainedBytes: number;
  /** Begins to listen: for the first time, or again after it was left. */
  listen(): OutputSource;
  /** All of its input. */
  input?: InputSource | undefined;
}

/**
 * A running command: its result, its output and its controls.
 *
 * ```ts
 * const command = await sandbox.commands.run('npm run build', { background: true })
 * for await (const event of command) if (event.type === 'stdout') show(event.data)
 * const { exitCode } = await command.finished()
 * ```
 *
 * It is read from the moment it exists, so a command is not held up by a handle that nobody looks at. A loop sees
 * everything from the beginning that is retained, may be slow (the command then waits), and may be left: then, unless
 * somebody else listens or waits, the stream is cancelled, and the command runs on. Another loop or `wait` takes the
 * stream up again. What was printed in between is not seen: there is a `gap` in its place.
 */
export class RunningCommand extends CommandHandle {
  readonly pid: number;
  readonly #controls: ProcessControls;
  readonly #options: RunningCommandOptions;
  readonly #listeners: readonly TextListener[];
  readonly #log: OutputLog;
  readonly #feeding = new AbortController();
  #stream: OutputSource | undefined;
  /** Settles when the stream is over: resolved by the end of the command, rejected by anything else. */
  #reading: Promise<void> | undefined;
  #waiting = 0;
  #gaps = 0;
  #end: Pick<CommandResult, 'exitCode' | 'error'> | undefined;
  /** Why the command was killed for want of its input. */
  #inputFailure: { error: unknown } | undefined;

  /** @internal */
  constructor(controls: ProcessControls, pid: number, options: RunningCommandOptions) {
    super();
    this.pid = pid;
    this.#controls = controls;
    this.#options = options;
    this.#listeners = [
      new TextListener('stdout', options.onStdout),
      new TextListener('stderr', options.onStderr),
    ];
    this.#log = new OutputLog(options.maxRetainedBytes);
    void this.#attach();
    if (options.input !== undefined) void this.#feed(options.input);
  }

  get exitCode(): number | undefined {
    return this.#end?.exitCode;
  }

  get error(): string | undefined {
    return this.#end?.error;
  }

  get stdout(): string {
    return this.#log.text('stdout');
  }

  get stderr(): string {
    return this.#log.text('stderr');
  }

  /** How often output was missed, because the stream was lost or left and then taken up again. */
  get gaps(): number {
    return this.#gaps;
  }

  /** How much of the output `stdout` and `stderr` no longer have, because of `maxRetainedBytes`. */
  get dropped(): OutputBytes {
    return { ...this.#log.dropped };
  }

  /**
   * Waits for the end, whatever the exit status is.
   * @throws {TimeoutError} code `command_timeout`: `timeoutMs` was over, and envd killed the command.
   * @throws {ConnectionError} code `connection_lost`: the command may still run; `commands.connect(pid)` finds it.
   * @throws {SandboxError} code `disconnected`: the handle was let go of.
   * @throws what a callback threw, or the stream that was given as `stdin`.
   */
  async finished(): Promise<CommandResult> {
    this.#waiting++;
    try {
      await this.#read();
    } finally {
      this.#waiting--;
    }
    if (this.#inputFailure) throw this.#inputFailure.error;
    const { stdout, stderr } = this.#log.dropped;
    return {
      exitCode: -1,
      ...this.#end,
      stdout: this.stdout,
      stderr: this.stderr,
      ...(this.#gaps > 0 && { gaps: this.#gaps }),
      ...(stdout + stderr > 0 && { dropped: { stdout, stderr } }),
    };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CommandEvent, void, undefined> {
    // A failure is thrown below, after what came before it.
    const reading = this.#read();
    reading.catch(() => undefined);
    const decoders = { stdout: new OutputDecoder(), stderr: new OutputDecoder() };
    const types = ['stdout', 'stderr'] as const;
    function* rest(step: 'gap' | 'end'): Generator<CommandEvent, void, undefined> {
      for (const type of types) {
        const data = decoders[type][step]();
        if (data) yield { type, data, bytes: new Uint8Array() };
      }
    }
    try {
      for await (const entry of this.#log.read()) {
        if (entry.type === 'gap') {
          yield* rest('gap');
          yield entry;
        } else {
          yield outputEvent(entry, decoders[entry.type].piece(entry.data));
        }
      }
      await reading;
      yield* rest('end');
      yield { type: 'exit', exitCode: -1, ...this.#end };
    } finally {
      const { onStdout, onStderr } = this.#options;
      if (!this.#log.hasReaders && this.#waiting === 0 && !onStdout && !onStderr) this.#detach();
    }
  }

  async kill(options?: KillOptions): Promise<boolean> {
    // Its id may be another's by now.
    if (this.#end) return false;
    return this.#controls.kill(this.pid, options);
  }

  /**
   * Sends input, in order. The command must have been started with `stdin: true`.
   *
   * Resolves when the command's pipe has taken it; a stream is read as fast as that goes. `requestTimeoutMs` is for each
   * piece of it: a command that is slow to read may want 0.
   * @throws {ConnectionError} code `input_uncertain`: no answer came, so it may have been taken. `input_not_executed`: it
   * was not sent, because what was sent before it failed.
   */
  sendStdin(data: InputSource, options?: CallOptions): Promise<void> {
    return this.#controls.sendStdin(this.pid, data, options);
  }

  /** Ends the input, after what was sent before (envd 0.5.2). */
  closeStdin(options?: CallOptions): Promise<void> {
    return this.#controls.closeStdin(this.pid, options);
  }

  /** Stops listening. The command lives on; who waits for it gets an error with code `disconnected`. */
  async disconnect(): Promise<void> {
    this.#detach();
  }

  /** The stream that there is, or a new one where the last was left. */
  #read(): Promise<void> {
    if (!this.#reading) this.#log.reopen();
    return this.#reading ?? this.#attach();
  }

  #attach(): Promise<void> {
    const stream = this.#options.listen();
    this.#stream = stream;
    const reading = this.#pump(stream).finally(() => {
      // A stream that was left may end when the next one is already being read.
      if (this.#reading !== reading) return;
      this.#log.end();
      this.#stream = undefined;
    });
    // Whoever waits hears of a failure; nobody needs to.
    reading.catch(() => undefined);
    this.#reading = reading;
    return reading;
  }

  async #pump(stream: OutputSource): Promise<void> {
    const listeners = this.#listeners;
    for await (const event of stream.output) {
      if (event.type === 'pty') continue;
      if (event.type === 'end') {
        for (const listener of listeners) await listener.end();
        this.#end = { exitCode: event.exitCode, ...(event.error !== undefined && { error: event.error }) };
        this.#feeding.abort();
        return;
      }
      if (this.#stream !== stream) break;
      if (event.type === 'gap') this.#gaps++;
      const entry: OutputEntry =
        event.type === 'gap' ? { ...notListened, ...event } : { type: event.type, data: event.data };
      for (const listener of listeners) await listener.hear(entry);
      // What was left is not asked for more: a source that can give this again then does.
      if (this.#stream !== stream) break;
      await this.#log.write(entry);
    }
    throw new SandboxError(`The handle of process ${this.pid} was disconnected; the process lives on.`, {
      code: 'disconnected',
    });
  }

  #detach(): void {
    const stream = this.#stream;
    if (!stream) return;
    this.#stream = undefined;
    this.#reading = undefined;
    this.#log.end();
    stream.cancel();
  }

  /** A command that got half of its input would take it for the whole, so it is killed. */
  async #feed(input: InputSource): Promise<void> {
    try {
      await feedInput(this.#controls, this.pid, input, this.#feeding.signal);
    } catch (error) {
      this.#inputFailure = { error };
      await this.kill().catch(() => undefined);
    }
  }
}

function outputEvent({ type, data }: OutputPiece, decode: () => string): CommandEvent {
  let text: string | undefined;
  return {
    type,
    bytes: data,
    get data() {
      text ??= decode();
      return text;
    },
  };
}

const notListened: OutputGap = {
  type: 'gap',
  bytes: null,
  reason: 'nobody listened while the stream was lost or left',
};
