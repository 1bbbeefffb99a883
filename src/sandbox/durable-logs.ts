import type { Channel } from '../channel/channel.js';
import { createDurableChannel, openDurableChannel } from '../channel/durable/durable-channel.js';
import {
  type DurableStatus,
  durableNotFound,
  listStatus,
  readStatus,
} from '../channel/durable/durable-status.js';
import { type DurableOffsets, DurableStream } from '../channel/durable/durable-stream.js';
import type { DurableLog } from '../channel/durable/run-program.js';
import { defaultMaxLogBytes, durableTerminalEnvd, startDurable } from '../channel/durable/start-durable.js';
import { deadlineAfter, type LastingStreamOptions } from '../channel/lasting-stream.js';
import { InvalidArgumentError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import { check, checkOptions } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import {
  type CommandConnectOptions,
  type CommandStartOptions,
  defaultReconnectMs,
  listening,
} from './command-options.js';
import { DurableCommand } from './durable-command.js';
import {
  attachRules,
  type CommandAttachOptions,
  type DurableCommands,
  type DurableInfo,
  type DurableListOptions,
  type DurableTerminal,
  type DurableTerminalInfo,
  durableId,
  listRules,
} from './durable-options.js';
import type { InputSource } from './input-source.js';
import type { ProcessControls } from './process-controls.js';
import { signalDurable } from './signal-durable.js';

/** Durable commands, straight by envd. */
export class DurableLogs implements DurableCommands {
  readonly #connection: Connection;
  readonly #controls: ProcessControls;

  constructor(connection: Connection, controls: ProcessControls) {
    this.#connection = connection;
    this.#controls = controls;
  }

  /** The options were checked, but for what is different here. */
  async start(command: string, options: CommandStartOptions): Promise<DurableCommand> {
    const { background, timeoutMs = 0, cwd, user, envs = {}, stdin = false } = options;
    const { maxLogBytes = defaultMaxLogBytes } = options;
    if (!background) throw new InvalidArgumentError('commands.run: durable is for background: true.');
    if (timeoutMs > 0) {
      throw new InvalidArgumentError(
        'commands.run: a durable command has no timeoutMs: limit it by its command line, as "timeout 60 …".',
      );
    }
    this.#connection.requireEnvd('0.3.0', 'commands.run with durable');
    if (typeof stdin !== 'boolean')
      this.#connection.requireEnvd('0.5.2', 'commands.run with all of its stdin');
    const log = { id: crypto.randomUUID(), user };
    const process = { cmd: '/bin/bash', args: ['-l', '-c', command], envs, cwd, user, timeoutMs };
    const started = await startDurable(
      this.#connection,
      log,
      { ...process, stdin: stdin !== false, maxLogBytes },
      options,
    );
    const input = typeof stdin === 'boolean' ? undefined : stdin;
    return this.#handle(log, started, { stdout: 0, stderr: 0 }, options, undefined, input);
  }

  async attach(id: string, options: CommandAttachOptions): Promise<DurableCommand> {
    check('commands.attach: id', id, durableId);
    checkOptions('commands.attach', options, attachRules);
    const { from, user, timeoutMs = 0 } = options;
    const log = { id, user };
    const deadline = deadlineAfter(timeoutMs);
    const status = await readStatus(this.#connection, log, options);
    if (status.kind !== 'command') throw durableNotFound(id);
    const offsets = { stdout: 0, stderr: 0, ...from };
    for (const type of ['stdout', 'stderr'] as const) {
      if (offsets[type] > status.size[type]) {
        throw new InvalidArgumentError(
          `commands.attach: from.${type} is ${offsets[type]}, and the log ends at ${status.size[type]}.`,
          { code: 'offset_beyond_log' },
        );
      }
    }
    return this.#handle(log, status, offsets, options, deadline);
  }

  async list(options: DurableListOptions): Promise<DurableInfo[]> {
    checkOptions('commands.listDurable', options, listRules);
    return this.#list('command', options);
  }

  async createTerminal(
    {
      maxLogBytes = defaultMaxLogBytes,
      timeoutMs = 0,
      ...create
    }: Parameters<DurableCommands['createTerminal']>[0],
    options: CallOptions,
  ): Promise<DurableTerminal> {
    if (timeoutMs > 0) throw new InvalidArgumentError('pty.create: a durable terminal has no timeoutMs.');
    this.#connection.requireEnvd(durableTerminalEnvd, 'pty.create with durable');
    const channel = await createDurableChannel(this.#connection, { ...create, maxLogBytes }, options);
    return this.#terminal(channel, { id: channel.epoch, user: create.user });
  }

  async openTerminal(id: string, options: DurableListOptions): Promise<DurableTerminal> {
    check('pty.connect: id', id, durableId);
    const log = { id, user: options.user };
    return this.#terminal(await openDurableChannel(this.#connection, log, options), log);
  }

  async listTerminals(options: DurableListOptions): Promise<DurableTerminalInfo[]> {
    checkOptions('pty.list', options, listRules);
    const all = await this.#list('terminal', options);
    return all.map(({ command: _command, ...info }) => info);
  }

  #terminal(channel: Channel, log: DurableLog): DurableTerminal {
    return { channel, kill: (options) => signalDurable(this.#connection, log, options) };
  }

  async #list(kind: DurableStatus['kind'], options: DurableListOptions): Promise<DurableInfo[]> {
    const all = await listStatus(this.#connection, { id: '', user: options.user }, [], options);
    return all.flatMap(({ full: _full, kind: its, ...info }) => (its === kind ? info : []));
  }

  #handle(
    log: DurableLog,
    { pid, reserved }: { pid: number; reserved: boolean },
    offsets: DurableOffsets,
    options: CommandConnectOptions,
    deadline: number | undefined,
    input?: InputSource,
  ): DurableCommand {
    const { signal, reconnectMs = defaultReconnectMs } = options;
    const reading: LastingStreamOptions = { signal, reconnectMs, deadline };
    const listen = (): DurableStream => new DurableStream(this.#connection, log, offsets, reading);
    const origin = { connection: this.#connection, controls: this.#controls, log, pid, reserved, offsets };
    return new DurableCommand(origin, { ...listening(options), listen, input });
  }
}
