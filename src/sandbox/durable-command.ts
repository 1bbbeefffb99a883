import type { DurableOffsets } from '../channel/durable/durable-stream.js';
import { removeProgram, signalPrefix } from '../channel/durable/programs.js';
import { type DurableLog, helper, runProgram } from '../channel/durable/run-program.js';
import { PermissionDeniedError, SandboxError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import { callRules, checkOptions } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import { type KillOptions, killRules } from './kill-options.js';
import type { OutputBytes } from './output-log.js';
import type { ProcessControls } from './process-controls.js';
import { RunningCommand, type RunningCommandOptions } from './running-command.js';
import { signalProgram } from './signal-program.js';

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

  override async kill(options: KillOptions = {}): Promise<boolean> {
    checkOptions('kill', options, killRules);
    const { killSignal = 'SIGKILL', group = false } = options;
    const program = `${signalPrefix}${signalProgram}`;
    const args = [killSignal.slice(3), group ? 'group' : ''];
    const exitCode = await this.#run('signal', program, args, options);
    if (exitCode === 1) {
      throw new PermissionDeniedError(
        `The durable command ${this.durableId} belongs to another Linux user by now.`,
      );
    }
    return this.#succeeded(exitCode, 'signals');
  }

  /**
   * Removes the log of a command that has ended. Otherwise it is removed when a durable command is started a day after.
   * @returns false when there was none any more.
   * @throws {SandboxError} code `durable_running`: the command runs; kill it first.
   */
  async remove(options: CallOptions = {}): Promise<boolean> {
    checkOptions('remove', options, callRules);
    const exitCode = await this.#run('remove', removeProgram, [], options);
    if (exitCode === 4) {
      throw new SandboxError(`The durable command ${this.durableId} runs: kill it, and wait for its end.`, {
        code: 'durable_running',
      });
    }
    return this.#succeeded(exitCode, 'removes');
  }

  async #run(role: string, program: string, args: string[], options: CallOptions): Promise<number> {
    const start = helper(role, this.#log, program, args);
    return (await runProgram(this.#connection, start, options, `durable.${role}`)).exitCode;
  }

  #succeeded(exitCode: number, what: string): boolean {
    if (exitCode === 0 || exitCode === 3) return exitCode === 0;
    throw new SandboxError(`The program that ${what} the durable command ended with ${exitCode}.`, {
      code: 'durable_unavailable',
    });
  }
}
