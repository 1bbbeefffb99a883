import type { Channel, PtyCreate, PtySize, PtyTarget } from '../channel/channel.js';
import { namedProcess } from '../channel/process-stream.js';
import { InvalidArgumentError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import { byPid, type ProcessControls } from './process-controls.js';
import { checkedSize, PtyHandle } from './pty-handle.js';

/**
 * How the bytes of a terminal travel. `websocket`: through a broker, surviving dropped connections without losing a
 * byte. `connect`: straight by envd's RPC, where a dropped connection leaves a declared gap.
 */
export type PtyTransport = 'websocket' | 'connect';

interface PtyListenOptions extends CallOptions {
  /** Gets the output; if asynchronous, the next piece waits for it. Without it, loop over the handle. */
  onData?: (data: Uint8Array) => void | Promise<void>;
  /** Default `websocket` for a session whose broker offers it, else `connect`. */
  transport?: PtyTransport;
}

export interface PtyCreateOptions extends PtyListenOptions, PtySize, Omit<PtyCreate, 'size'> {}

export interface PtyConnectOptions extends PtyListenOptions, Partial<PtySize> {}

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

  /** @internal */
  constructor(connection: Connection, controls: ProcessControls, openers: ChannelOpeners) {
    this.#connection = connection;
    this.#controls = controls;
    this.#openers = openers;
  }

  /**
   * Starts a login shell (`/bin/bash -i -l`) in a terminal. It has no time limit unless `timeoutMs` gives one (the
   * official SDK ends terminals after 60 s).
   * @throws {InvalidArgumentError} a size that is none, or a `cwd` that does not exist.
   */
  async create(options: PtyCreateOptions): Promise<PtyHandle> {
    const { cwd, user, envs, timeoutMs } = options;
    const size = checkedSize(options);
    const create: PtyCreate = {
      size,
      ...(cwd !== undefined && { cwd }),
      ...(user !== undefined && { user }),
      ...(envs && { envs }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    };
    return this.#open({ create }, size, options);
  }

  /**
   * Takes up a running terminal. By WebSocket it comes with what is kept of its earlier output; by Connect with what it
   * prints from now on.
   * @throws {NotFoundError} code `process_not_found`: the shell has ended, or never was.
   */
  async connect(pid: number, options: PtyConnectOptions = {}): Promise<PtyHandle> {
    const { cols = defaultSize.cols, rows = defaultSize.rows } = options;
    const handle = await this.#open({ pid }, checkedSize({ cols, rows }), options);
    if (options.cols !== undefined || options.rows !== undefined) handle.resize({ cols, rows });
    return handle;
  }

  /** Sends input to a terminal, in the order of the calls. */
  sendInput(pid: number, data: Uint8Array, options?: CallOptions): Promise<void> {
    return this.#controls.sendInput(pid, 'pty', data, options);
  }

  /** Gives a terminal a size. */
  async resize(pid: number, size: PtySize, options: CallOptions = {}): Promise<void> {
    const pty = { size: checkedSize(size) };
    await this.#connection
      .call(options, 'pty.resize', (rpc, signal) =>
        rpc.process.update({ process: byPid(pid), pty }, { signal }),
      )
      .catch((error: unknown) => {
        throw namedProcess(error, pid);
      });
  }

  /** Kills a terminal's shell (SIGKILL); false when there is none of that id. */
  kill(pid: number, options?: CallOptions): Promise<boolean> {
    return this.#controls.kill(pid, options);
  }

  async #open(target: PtyTarget, size: PtySize, options: PtyListenOptions): Promise<PtyHandle> {
    const transport = options.transport ?? (this.#openers.websocket ? 'websocket' : 'connect');
    const open = this.#openers[transport];
    if (!open) {
      throw new InvalidArgumentError(
        `This sandbox was not reached in a way that offers terminals by "${transport}": use a broker's session for "websocket".`,
        { code: 'transport_unavailable' },
      );
    }
    return new PtyHandle(await open(target, size, options), this.#controls, options.onData);
  }
}
