import { connectProcess, startProcess } from '../channel/process-stream.js';
import { type CommandResult, InvalidArgumentError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import { CommandHandle, type CommandHandleOptions } from './command-handle.js';
import type { ProcessControls } from './process-controls.js';

export interface CommandStartOptions extends CallOptions, CommandHandleOptions {
  /** Gives the command's handle as soon as it runs, in the place of its result at its end. Default false. */
  background?: boolean;
  /** The working directory. Default: the template's. A relative path is below the user's home. */
  cwd?: string;
  /** The Linux user. Default: the template's. Through a broker the session's user always wins. */
  user?: string;
  /** Added to the environment of the sandbox. */
  envs?: Record<string, string>;
  /** Whether input can be sent with `sendStdin` (envd 0.3.0). Default false: the command reads an empty input. */
  stdin?: boolean;
  /**
   * How long the command may live, in milliseconds; envd kills it then. 0 is for ever. Default 60 000, and for
   * `background: true` 0 (the official SDK kills those after 60 s as well).
   */
  timeoutMs?: number;
}

export interface CommandConnectOptions extends CallOptions, CommandHandleOptions {
  /** How long to listen, in milliseconds; the command lives on. Default 0: until its end. */
  timeoutMs?: number;
}

/** A running process that was started through envd, terminals included. */
export interface ProcessInfo {
  pid: number;
  /** A label that a template gave it. */
  tag?: string;
  cmd: string;
  args: string[];
  envs: Record<string, string>;
  cwd?: string;
}

const foregroundTimeoutMs = 60_000;

/** The commands of a sandbox. */
export class Commands {
  readonly #connection: Connection;
  readonly #controls: ProcessControls;

  /** @internal */
  constructor(connection: Connection, controls: ProcessControls) {
    this.#connection = connection;
    this.#controls = controls;
  }

  /** Whether `closeStdin` works with this sandbox's envd (0.5.2). */
  get supportsStdinClose(): boolean {
    return this.#connection.hasEnvd('0.5.2');
  }

  /**
   * Runs a command line in a login shell (`/bin/bash -l -c`) and waits for its end.
   *
   * `signal` ends the waiting, not the command: keep a handle (`background: true`) where you want to kill it.
   * @throws {CommandExitError} the exit status is not 0; 127 is the shell's for a command that it does not know.
   * @throws {InvalidArgumentError} `cwd` does not exist.
   * @throws {TimeoutError} code `command_timeout`: `timeoutMs` was over, and envd killed the command.
   * @throws {SandboxNotFoundError} the sandbox is not running.
   */
  run(command: string, options?: CommandStartOptions & { background?: false }): Promise<CommandResult>;
  /** Runs a command line and returns its handle as soon as it runs. */
  run(command: string, options: CommandStartOptions & { background: true }): Promise<CommandHandle>;
  run(command: string, options?: CommandStartOptions): Promise<CommandHandle | CommandResult>;
  async run(command: string, options: CommandStartOptions = {}): Promise<CommandHandle | CommandResult> {
    const { background = false } = options;
    const handle = await this.#start(command, {
      ...options,
      timeoutMs: options.timeoutMs ?? (background ? 0 : foregroundTimeoutMs),
    });
    return background ? handle : handle.wait();
  }

  /**
   * Listens to a running command: what it prints from now on, and its end.
   * @throws {NotFoundError} code `process_not_found`: it ended (more than 30 s ago, from envd 0.6.12 on), or never was.
   */
  async connect(pid: number, options: CommandConnectOptions = {}): Promise<CommandHandle> {
    const stream = await connectProcess(this.#connection, pid, options, 'commands.connect');
    return new CommandHandle(this.#connection, this.#controls, stream, options);
  }

  /** The processes that run and were started through envd. */
  async list(options: CallOptions = {}): Promise<ProcessInfo[]> {
    const { processes } = await this.#connection.call(options, 'commands.list', (rpc, signal) =>
      rpc.process.list({}, { signal }),
    );
    return processes.map(({ pid, tag, config }) => ({
      pid,
      ...(tag !== undefined && { tag }),
      cmd: config?.cmd ?? '',
      args: config?.args ?? [],
      envs: config?.envs ?? {},
      ...(config?.cwd !== undefined && { cwd: config.cwd }),
    }));
  }

  /** Kills a command (SIGKILL); false when there is none of that id. */
  kill(pid: number, options?: CallOptions): Promise<boolean> {
    return this.#controls.kill(pid, options);
  }

  /**
   * Sends input to a command that was started with `stdin: true`. Calls keep their order.
   *
   * Resolves when the command's pipe has taken it; `requestTimeoutMs` has no default here, as a command may be slow to read.
   */
  sendStdin(pid: number, data: string | Uint8Array, options?: CallOptions): Promise<void> {
    return this.#controls.sendStdin(pid, data, options);
  }

  /** Ends the input of a command (envd 0.5.2). */
  closeStdin(pid: number, options?: CallOptions): Promise<void> {
    return this.#controls.closeStdin(pid, options);
  }

  async #start(
    command: string,
    options: CommandStartOptions & { timeoutMs: number },
  ): Promise<CommandHandle> {
    if (typeof command !== 'string') {
      throw new InvalidArgumentError(`commands.run: the command is a ${typeof command}, not a string.`);
    }
    const { cwd, user, envs = {}, stdin = false, timeoutMs } = options;
    if (stdin) this.#connection.requireEnvd('0.3.0', 'commands.run with stdin');
    const start = { cmd: '/bin/bash', args: ['-l', '-c', command], envs, cwd, user, stdin, timeoutMs };
    const stream = await startProcess(this.#connection, start, options, 'commands.run');
    return new CommandHandle(this.#connection, this.#controls, stream, options);
  }
}
