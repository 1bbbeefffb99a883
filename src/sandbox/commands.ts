import { isHelperProcess } from '../channel/helper-process.js';
import { deadlineAfter, LastingStream, type LastingStreamOptions } from '../channel/lasting-stream.js';
import { readProcessTag } from '../channel/process-identity.js';
import { connectProcess, type ProcessStream, startProcess } from '../channel/process-stream.js';
import { lostProcess } from '../channel/reconnector.js';
import type { CommandResult } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import { callRules, check, checkOptions } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import {
  type CommandConnectOptions,
  type CommandStartOptions,
  connectRules,
  defaultReconnectMs,
  listening,
  startRules,
} from './command-options.js';
import type { DurableCommand } from './durable-command.js';
import {
  type CommandAttachOptions,
  type DurableCommands,
  type DurableInfo,
  type DurableListOptions,
  durableNeedsKey,
} from './durable-options.js';
import type { InputSource } from './input-source.js';
import type { KillOptions } from './kill-options.js';
import type { ProcessControls } from './process-controls.js';
import { commandLine, processId } from './process-rules.js';
import { RunningCommand } from './running-command.js';

/** A running process that was started through envd, terminals included. */
export interface ProcessInfo {
  pid: number;
  /** A label that a template gave it. */
  tag?: string;
  /** Of a durable command: what `attach` takes. */
  durableId?: string;
  cmd: string;
  args: string[];
  envs: Record<string, string>;
  cwd?: string;
}

const foregroundTimeoutMs = 60_000;

/** A durable command as it was asked for: what it is started by is nobody's concern. */
function shownCommand(args: string[]): { cmd: string; args: string[] } {
  const [cmd = '', ...rest] = args.slice(args.indexOf('/bin/bash'));
  return { cmd, args: rest };
}

/** The commands of a sandbox. */
export class Commands {
  readonly #connection: Connection;
  readonly #controls: ProcessControls;
  readonly #durable: DurableCommands | undefined;

  /** @internal */
  constructor(connection: Connection, controls: ProcessControls, durable?: DurableCommands) {
    this.#connection = connection;
    this.#controls = controls;
    this.#durable = durable;
  }

  /** Whether `closeStdin` works with this sandbox's envd (0.5.2). */
  get supportsStdinClose(): boolean {
    return this.#connection.hasEnvd('0.5.2');
  }

  /**
   * Runs a command line in a login shell (`/bin/bash -l -c`) and waits for its end, for 60 s unless `timeoutMs` says
   * otherwise.
   *
   * `signal` ends the waiting, not the command: keep a handle (`background: true`) where you want to kill it.
   * @throws {CommandExitError} the exit status is not 0; 127 is the shell's for a command that it does not know.
   * @throws {InvalidArgumentError} an option that is none, or a `cwd` that does not exist.
   * @throws {TimeoutError} code `command_timeout`: `timeoutMs` was over, and envd killed the command.
   * @throws {ConnectionError} code `connection_lost`: the connection was lost; the command may still run.
   * @throws {SandboxNotFoundError} the sandbox is not running.
   */
  run(command: string, options?: CommandStartOptions & { background?: false }): Promise<CommandResult>;
  /** Runs a command line and returns its handle as soon as it runs. It has no time limit unless `timeoutMs` gives one. */
  run(
    command: string,
    options: CommandStartOptions & { background: true; durable: true },
  ): Promise<DurableCommand>;
  run(command: string, options: CommandStartOptions & { background: true }): Promise<RunningCommand>;
  run(command: string, options?: CommandStartOptions): Promise<RunningCommand | CommandResult>;
  async run(command: string, options: CommandStartOptions = {}): Promise<RunningCommand | CommandResult> {
    check('commands.run: the command', command, commandLine);
    checkOptions('commands.run', options, startRules);
    if (options.durable) return this.#durableCommands('commands.run with durable').start(command, options);
    const handle = await this.#start(command, options);
    return options.background ? handle : handle.wait();
  }

  /**
   * Listens to a running command: what it prints from now on, and its end.
   * @throws {NotFoundError} code `process_not_found`: it ended (more than 30 s ago, from envd 0.6.12 on), or never was.
   */
  async connect(pid: number, options: CommandConnectOptions = {}): Promise<RunningCommand> {
    check('commands.connect: pid', pid, processId);
    checkOptions('commands.connect', options, connectRules);
    const { timeoutMs = 0, reconnectMs = defaultReconnectMs } = options;
    const deadline = deadlineAfter(timeoutMs);
    const stream = await connectProcess(this.#connection, pid, options, 'commands.connect');
    const reading = { signal: options.signal, reconnectMs, deadline };
    return this.#handle(stream, options, reading);
  }

  /**
   * Takes up a durable command, running or ended, from any program: all of its output, from the beginning or from where
   * it was read to.
   * @param id the `durableId` of its handle, or of `list`.
   * @throws {NotFoundError} code `process_not_found`: its log was removed, or is that of another Linux user.
   * @throws {InvalidArgumentError} code `durable_needs_key`: with a session of a broker there are none.
   */
  async attach(id: string, options: CommandAttachOptions = {}): Promise<DurableCommand> {
    return this.#durableCommands('commands.attach').attach(id, options);
  }

  /** The durable commands of a Linux user whose logs are there, those that ended included. */
  async listDurable(options: DurableListOptions = {}): Promise<DurableInfo[]> {
    return this.#durableCommands('commands.listDurable').list(options);
  }

  /** The processes that run and were started through envd. */
  async list(options: CallOptions = {}): Promise<ProcessInfo[]> {
    checkOptions('commands.list', options, callRules);
    const { processes } = await this.#connection.call(options, 'commands.list', (rpc, signal) =>
      rpc.process.list({}, { signal }),
    );
    return processes.flatMap(({ pid, tag, config }) => {
      const own = readProcessTag(tag);
      if (own?.role === 'helper' || isHelperProcess(config)) return [];
      const durable = own?.role === 'durable';
      const command = { cmd: config?.cmd ?? '', args: config?.args ?? [] };
      return {
        pid,
        ...(tag !== undefined && !own && { tag }),
        ...(durable ? { ...shownCommand(command.args), durableId: own.id } : command),
        envs: config?.envs ?? {},
        ...(config?.cwd !== undefined && { cwd: config.cwd }),
      };
    });
  }

  /**
   * Kills a command (SIGKILL, unless `killSignal` says otherwise). What it has started lives on, unless `group` is true.
   * @returns false when there is none of that id.
   */
  kill(pid: number, options?: KillOptions): Promise<boolean> {
    return this.#controls.kill(pid, options);
  }

  /**
   * Sends input to a command that was started with `stdin: true`. Calls keep their order.
   *
   * Resolves when the command's pipe has taken it; `requestTimeoutMs` is for each piece: 0 for a command that is slow to
   * read.
   */
  sendStdin(pid: number, data: InputSource, options?: CallOptions): Promise<void> {
    return this.#controls.sendStdin(pid, data, options);
  }

  /** Ends the input of a command, after what was sent before (envd 0.5.2). */
  closeStdin(pid: number, options?: CallOptions): Promise<void> {
    return this.#controls.closeStdin(pid, options);
  }

  #durableCommands(what: string): DurableCommands {
    return this.#durable ?? durableNeedsKey(what);
  }

  async #start(command: string, options: CommandStartOptions): Promise<RunningCommand> {
    const { background = false, cwd, user, envs = {}, stdin = false } = options;
    const input = typeof stdin === 'boolean' ? undefined : stdin;
    if (stdin !== false) this.#connection.requireEnvd('0.3.0', 'commands.run with stdin');
    if (input !== undefined) this.#connection.requireEnvd('0.5.2', 'commands.run with all of its stdin');
    const timeoutMs = options.timeoutMs ?? (background ? 0 : foregroundTimeoutMs);
    const deadline = deadlineAfter(timeoutMs);
    const args = ['-l', '-c', command];
    const start = { cmd: '/bin/bash', args, envs, cwd, user, stdin: stdin !== false, timeoutMs };
    const stream = await startProcess(this.#connection, start, options, 'commands.run');
    const reading = {
      signal: options.signal,
      reconnectMs: options.reconnectMs ?? (background ? defaultReconnectMs : 0),
      deadline,
      endsProcess: true,
    };
    return this.#handle(stream, options, reading, input);
  }

  #handle(
    stream: ProcessStream,
    options: CommandConnectOptions,
    reading: LastingStreamOptions,
    input?: InputSource,
  ): RunningCommand {
    const process = lostProcess(this.#connection, stream, reading.signal);
    let first: ProcessStream | undefined = stream;
    const listen = (): LastingStream => {
      const lasting = new LastingStream(this.#connection, process, first, reading);
      first = undefined;
      return lasting;
    };
    return new RunningCommand(this.#controls, stream.pid, { ...listening(options), listen, input });
  }
}
