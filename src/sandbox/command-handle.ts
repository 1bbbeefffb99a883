import type { ChannelEvent } from '../channel/channel.js';
import { CommandExitError, type CommandResult } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { CommandEvent } from './command-event.js';
import type { InputSource } from './input-source.js';
import type { KillOptions } from './kill-options.js';

/** What a running command and a terminal have in common: the official SDK has one class for both. */
export abstract class CommandHandle implements AsyncIterable<CommandEvent | ChannelEvent> {
  /** The process id in the sandbox. */
  abstract readonly pid: number;
  /** The exit status, once the end was read; -1 when a signal ended it. */
  abstract get exitCode(): number | undefined;
  /** envd's words for an end other than exit status 0. */
  abstract get error(): string | undefined;
  /** What it printed so far; empty for a terminal, whose output is bytes. */
  abstract get stdout(): string;
  /** What it printed so far as errors; empty for a terminal, which has one output. */
  abstract get stderr(): string;

  abstract [Symbol.asyncIterator](): AsyncGenerator<CommandEvent | ChannelEvent, void, undefined>;

  /**
   * Waits for the end, whatever the exit status is.
   * @throws {TimeoutError} code `command_timeout`: `timeoutMs` was over.
   * @throws {ConnectionError} code `connection_lost`: how it ended is not known; it may still run.
   * @throws {SandboxError} code `disconnected`: the handle was let go of.
   */
  abstract finished(): Promise<CommandResult>;

  /**
   * Waits for an end that is a success.
   * @throws {CommandExitError} the exit status is not 0.
   * @throws what `finished` throws.
   */
  async wait(): Promise<CommandResult> {
    const result = await this.finished();
    if (result.exitCode !== 0) throw new CommandExitError(result);
    return result;
  }

  /**
   * Kills it (SIGKILL, unless `killSignal` says otherwise). What it has started lives on, unless `group` is true.
   * @returns false when it had ended already.
   * @throws {PermissionDeniedError} with `group` or a signal of its own: it belongs to somebody else.
   */
  abstract kill(options?: KillOptions): Promise<boolean>;

  /** Stops listening; the process lives on. */
  abstract disconnect(): Promise<void>;

  /** Sends input to a command that was started with `stdin: true`. A terminal refuses it: it has `send`. */
  abstract sendStdin(data: InputSource, options?: CallOptions): Promise<void>;

  /** Ends the input of a command (envd 0.5.2). A terminal refuses it: Ctrl-D is `send('\x04')`. */
  abstract closeStdin(options?: CallOptions): Promise<void>;
}
