import { listStatus, readStatus } from '../channel/durable/durable-status.js';
import { type DurableOffsets, DurableStream } from '../channel/durable/durable-stream.js';
import type { DurableLog } from '../channel/durable/run-program.js';
import { startDurable } from '../channel/durable/start-durable.js';
import { deadlineAfter, type LastingStreamOptions } from '../channel/lasting-stream.js';
import { InvalidArgumentError } from '../errors.js';
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
  durableId,
  listRules,
} from './durable-options.js';
import type { InputSource } from './input-source.js';
import type { ProcessControls } from './process-controls.js';

const defaultMaxLogBytes = 64 * 1024 * 1024;

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
    const all = await listStatus(this.#connection, { id: '', user: options.user }, [], options);
    return all.map(({ full: _full, ...info }) => info);
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
