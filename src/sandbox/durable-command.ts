import type { DurableOffsets } from '../channel/durable/durable-stream.js';
import { removeProgram } from '../channel/durable/programs.js';
import { type DurableLog, helper, runProgram } from '../channel/durable/run-program.js';
import { SandboxError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import { callRules, checkOptions } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import type { KillOptions } from './kill-options.js';
import type { OutputBytes } from './output-log.js';
import type { ProcessControls } from './process-controls.js';
import { RunningCommand, type RunningCommandOptions } from './running-command.js';
import { signalDurable } from './signal-durable.js';

/** Which durable command, and what is known of it. */
export interface DurableOrigin {
  connection: Connection;
  controls: ProcessControls;
  log: DurableLog;
  pid: number;
  reserved: boolean;
  offsets: DurableOffsets;
}

/**
 * A durable command. All of its output is kept in the sandbox until it is removed, so that this handle has no gaps, and
 * `commands.attach` takes it up from any other program.
 */
export class DurableCommand extends RunningCommand {
  /** What `commands.attach` takes. */
  readonly durableId: string;
  /** Whether the space of the log was set aside. Where it was not, a full disk ends the log, which is declared as a gap. */
  readonly reserved: boolean;
  readonly #connection: Connection;
  readonly #log: DurableLog;
  readonly #offsets: DurableOffsets;

  /** @internal */
  constructor(
    { connection, controls, log, pid, reserved, offsets }: DurableOrigin,
    options: RunningCommandOptions,
  ) {
    super(controls, pid, options);
    this.durableId = log.id;
    this.reserved = reserved;
    this.#connection = connection;
    this.#log = log;
    this.#offsets = offsets;
  }

  /** How far the handle has read, in bytes of each: `from` of an `attach` that is to go on there. */
  get offsets(): OutputBytes {
    return { ...this.#offsets };
  }

  override kill(options?: KillOptions): Promise<boolean> {
    return signalDurable(this.#connection, this.#log, options);
  }

  /**
   * Removes the log of a command that has ended. Otherwise it is removed when a durable command is started a day after.
   * @returns false when there was none any more.
   * @throws {SandboxError} code `durable_running`: the command runs; kill it first.
   */
  async remove(options: CallOptions = {}): Promise<boolean> {
    checkOptions('remove', options, callRules);
    const program = helper('remove', this.#log, removeProgram, []);
    const { exitCode } = await runProgram(this.#connection, program, options, 'durable.remove');
    if (exitCode === 0 || exitCode === 3) return exitCode === 0;
    const [code, why] =
      exitCode === 4
        ? ['durable_running', 'it runs: kill it, and wait for its end']
        : ['durable_unavailable', `the program ended with ${exitCode}`];
    throw new SandboxError(`The log of ${this.durableId} was not removed: ${why}.`, { code });
  }
}
