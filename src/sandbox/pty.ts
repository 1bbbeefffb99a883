import type { Channel, PtyCreate, PtySize, PtyTarget } from '../channel/channel.js';
import { namedProcess } from '../channel/process-stream.js';
import { InvalidArgumentError, isE2BEdgeError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import { callRules, check, checkOptions } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import {
  type DurableCommands,
  type DurableListOptions,
  type DurableTerminal,
  type DurableTerminalInfo,
  durableNeedsKey,
} from './durable-options.js';
import { bytes } from './input-source.js';
import type { KillOptions } from './kill-options.js';
import { byPid, type ProcessControls } from './process-controls.js';
import { processId } from './process-rules.js';
import { checkedSize, PtyHandle } from './pty-handle.js';
import {
  connectRules,
  createRules,
  durableTerminal,
  type PtyConnectOptions,
  type PtyCreateOptions,
  type PtyTransport,
} from './pty-options.js';

/** Opens channels. A transport that the sandbox was not reached by is absent. */
export type ChannelOpeners = {
  [transport in PtyTransport]?: (target: PtyTarget, size: PtySize, options: CallOptions) => Promise<Channel>;
};

const defaultSize: PtySize = { cols: 80, rows: 24 };

/** The terminals of a sandbox. */
export class Pty {
  readonly #connection: Connection;
  readonly #controls: ProcessControls;
  readonly #openers: ChannelOpeners;
  readonly #durable: DurableCommands | undefined;

  /** @internal */
  constructor(
    connection: Connection,
    controls: ProcessControls,
    openers: ChannelOpeners,
    durable?: DurableCommands,
  ) {
    this.#connection = connection;
    this.#controls = controls;
    this.#openers = openers;
    this.#durable = durable;
  }

  /**
   * Starts a login shell (`/bin/bash -i -l`) in a terminal. It has no time limit unless `timeoutMs` gives one (the
   * official SDK ends terminals after 60 s).
   * @throws {InvalidArgumentError} an option that is none, or a `cwd` that does not exist.
   */
  async create(options: PtyCreateOptions): Promise<PtyHandle> {
    checkOptions('pty.create', options, createRules);
    const { cols, rows, cwd, user, envs, timeoutMs, onData } = options;
    const size = checkedSize('pty.create', { cols, rows });
    const transport = this.#transport(options);
    // By WebSocket it is the relay that keeps it.
    const { durable = false, maxLogBytes } = transport === 'websocket' ? options : {};
    const create: PtyCreate = {
      size,
      ...(cwd !== undefined && { cwd }),
      ...(user !== undefined && { user }),
      ...(envs && { envs }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(durable && { durable, ...(maxLogBytes !== undefined && { maxLogBytes }) }),
    };
    if (options.durable && !durable) {
      const terminal = await this.#createDurable(create, options);
      if (terminal) return new PtyHandle(terminal.channel, this.#controls, { onData, kill: terminal.kill });
    }
    return new PtyHandle(await this.#open({ create }, size, options), this.#controls, { onData });
  }

  /**
   * Takes up a running terminal. By WebSocket it comes with what is kept of its earlier output; by Connect with what it
   * prints from now on. A durable one comes with all of its output.
   * @param pid its process id, or the `durableId` of a durable terminal.
   * @throws {NotFoundError} code `process_not_found`: the shell has ended, or never was.
   */
  async connect(pid: number | string, options: PtyConnectOptions = {}): Promise<PtyHandle> {
    checkOptions('pty.connect', options, connectRules);
    const { cols = defaultSize.cols, rows = defaultSize.rows, onData, timeoutMs } = options;
    let handle: PtyHandle;
    if (typeof pid === 'string') {
      check('pty.connect: pid', pid, durableTerminal);
      const { channel, kill } = await this.#requireDurable('pty.connect').openTerminal(pid, options);
      handle = new PtyHandle(channel, this.#controls, { onData, timeoutMs, kill });
    } else {
      check('pty.connect: pid', pid, processId);
      const channel = await this.#open({ pid }, { cols, rows }, options);
      handle = new PtyHandle(channel, this.#controls, { onData, timeoutMs });
    }
    if (options.cols !== undefined || options.rows !== undefined) handle.resize({ cols, rows });
    return handle;
  }

  /** The durable terminals of a Linux user whose logs are there, those that ended included. */
  async list(options: DurableListOptions = {}): Promise<DurableTerminalInfo[]> {
    return this.#requireDurable('pty.list').listTerminals(options);
  }

  /**
   * Sends input to a terminal, in the order of the calls.
   * @throws {ConnectionError} code `input_uncertain`: no answer came, so it may have been taken. `input_not_executed`: it
   * was not sent, because what was sent before it failed.
   */
  async sendInput(pid: number, data: Uint8Array, options: CallOptions = {}): Promise<void> {
    check('pty.sendInput: pid', pid, processId);
    check('pty.sendInput: data', data, bytes);
    checkOptions('pty.sendInput', options, callRules);
    await this.#controls.sendInput(pid, 'pty', data, options);
  }

  /** Gives a terminal a size. */
  async resize(pid: number, size: PtySize, options: CallOptions = {}): Promise<void> {
    check('pty.resize: pid', pid, processId);
    checkOptions('pty.resize', options, callRules);
    const pty = { size: checkedSize('pty.resize', size) };
    await this.#connection
      .call(options, 'pty.resize', (rpc, signal) =>
        rpc.process.update({ process: byPid(pid), pty }, { signal }),
      )
      .catch((error: unknown) => {
        throw namedProcess(error, pid);
      });
  }

  /** Kills a terminal's shell (SIGKILL, unless `killSignal` says otherwise); false when there is none of that id. */
  kill(pid: number, options?: KillOptions): Promise<boolean> {
    return this.#controls.kill(pid, options);
  }

  async #createDurable(create: PtyCreate, options: PtyCreateOptions): Promise<DurableTerminal | undefined> {
    const { durable, maxLogBytes } = options;
    if (durable === 'auto' && (!this.#durable || create.timeoutMs)) return undefined;
    try {
      const kept = { ...create, ...(maxLogBytes !== undefined && { maxLogBytes }) };
      return await this.#requireDurable('pty.create with durable').createTerminal(kept, options);
    } catch (error) {
      const cannot = isE2BEdgeError(error) && /^(durable_unavailable|envd_too_old)$/.test(error.code);
      if (durable === 'auto' && cannot) return undefined;
      throw error;
    }
  }

  #requireDurable(what: string): DurableCommands {
    return this.#durable ?? durableNeedsKey(what);
  }

  #transport({ transport }: { transport?: PtyTransport }): PtyTransport {
    return transport ?? (this.#openers.websocket ? 'websocket' : 'connect');
  }

  async #open(
    target: PtyTarget,
    size: PtySize,
    options: CallOptions & { transport?: PtyTransport },
  ): Promise<Channel> {
    const transport = this.#transport(options);
    const open = this.#openers[transport];
    if (!open) {
      throw new InvalidArgumentError(
        `This sandbox was not reached in a way that offers terminals by "${transport}": use a broker's session for "websocket".`,
        { code: 'transport_unavailable' },
      );
    }
    return open(target, size, options);
  }
}
