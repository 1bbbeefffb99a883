import { InputQueue } from '../channel/input-queue.js';
import { namedProcess } from '../channel/process-stream.js';
import { NotFoundError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import { abortable, withDeadline } from '../transport/deadline.js';
import { Signal } from '../wire/messages/process.js';

/** What can be done to a process of which only the id is known. */
export class ProcessControls {
  readonly #connection: Connection;
  readonly #inputs = new Map<string, InputQueue>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** SIGKILL. False when there is no such process (any more). */
  async kill(pid: number, options: CallOptions = {}): Promise<boolean> {
    try {
      await this.#connection.call(options, 'kill', (rpc, signal) =>
        rpc.process.sendSignal({ process: byPid(pid), signal: Signal.SIGKILL }, { signal }),
      );
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }

  /**
   * Sends bytes in the order of the calls, whichever handle they came by. Resolves when envd has taken them: with a
   * program that does not read, that may be never, unless `requestTimeoutMs` or `signal` says how long to wait. Bytes
   * that were waited for in vain may still be taken.
   */
  async sendInput(
    pid: number,
    kind: 'pty' | 'stdin',
    data: Uint8Array,
    options: CallOptions = {},
  ): Promise<void> {
    const { requestTimeoutMs = 0 } = options;
    await withDeadline({ ...options, requestTimeoutMs }, 'sendInput', (signal) =>
      abortable(this.#enqueue(pid, kind, data), signal),
    );
  }

  async #enqueue(pid: number, kind: 'pty' | 'stdin', data: Uint8Array): Promise<void> {
    const key = `${kind}:${pid}`;
    const queue = this.#inputs.get(key) ?? new InputQueue(this.#connection, pid, kind);
    this.#inputs.set(key, queue);
    try {
      await queue.send(data);
    } catch (error) {
      throw namedProcess(error, pid);
    } finally {
      if (queue.idle) this.#inputs.delete(key);
    }
  }

  sendStdin(pid: number, data: string | Uint8Array, options?: CallOptions): Promise<void> {
    return this.sendInput(
      pid,
      'stdin',
      typeof data === 'string' ? new TextEncoder().encode(data) : data,
      options,
    );
  }

  /** Ends the input, after what was sent before. */
  async closeStdin(pid: number, options: CallOptions = {}): Promise<void> {
    this.#connection.requireEnvd('0.5.2', 'closeStdin');
    await this.#connection
      .call(options, 'closeStdin', async (rpc, signal) => {
        await abortable(this.#inputs.get(`stdin:${pid}`)?.settled() ?? Promise.resolve(), signal);
        await rpc.process.closeStdin({ process: byPid(pid) }, { signal });
      })
      .catch((error: unknown) => {
        throw namedProcess(error, pid);
      });
  }
}

/** The selector of a process. */
export function byPid(pid: number): { selector: { case: 'pid'; value: number } } {
  return { selector: { case: 'pid', value: pid } };
}
