import { InputQueue } from '../channel/input-queue.js';
import { interruptBy } from '../channel/interrupt.js';
import { identifyProcess } from '../channel/process-identity.js';
import { namedProcess, startProcess } from '../channel/process-stream.js';
import { NotFoundError, PermissionDeniedError, SandboxError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import { callRules, check, checkOptions } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import { abortable } from '../transport/deadline.js';
import { Signal } from '../wire/messages/process.js';
import { bytesOf, type InputSource, inputSource } from './input-source.js';
import { type KillOptions, killRules } from './kill-options.js';
import { processId } from './process-rules.js';
import { signalProgram } from './signal-program.js';

/** What can be done to a process of which only the id is known. */
export class ProcessControls {
  readonly #connection: Connection;
  readonly #inputs = new Map<string, InputQueue>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** False when there is no such process (any more). */
  async kill(pid: number, options: KillOptions = {}): Promise<boolean> {
    check('kill: pid', pid, processId);
    checkOptions('kill', options, killRules);
    const { killSignal = 'SIGKILL', group = false } = options;
    if (group || (killSignal !== 'SIGKILL' && killSignal !== 'SIGTERM')) {
      return this.#signal(pid, killSignal, group, options);
    }
    try {
      await this.#connection.call(options, 'kill', (rpc, signal) =>
        rpc.process.sendSignal({ process: byPid(pid), signal: Signal[killSignal] }, { signal }),
      );
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }

  /**
   * Sends bytes in the order of the calls, whichever handle they came by. Resolves when envd has taken them. Bytes that
   * were on their way when the time was over or the signal fired may still be taken; what was to follow them is not sent.
   */
  async sendInput(
    pid: number,
    kind: 'pty' | 'stdin',
    data: Uint8Array | AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<void> {
    const key = `${kind}:${pid}`;
    const interrupt = kind === 'pty' ? interruptBy(this.#connection) : undefined;
    const queue = this.#inputs.get(key) ?? new InputQueue(this.#connection, pid, kind, interrupt);
    this.#inputs.set(key, queue);
    try {
      await queue.send(data, options);
    } catch (error) {
      throw namedProcess(error, pid);
    } finally {
      if (queue.idle) this.#inputs.delete(key);
    }
  }

  async sendStdin(pid: number, data: InputSource, options: CallOptions = {}): Promise<void> {
    check('sendStdin: pid', pid, processId);
    check('sendStdin: data', data, inputSource);
    checkOptions('sendStdin', options, callRules);
    await this.sendInput(pid, 'stdin', bytesOf(data), options);
  }

  /** Ends the input, after what was sent before. */
  async closeStdin(pid: number, options: CallOptions = {}): Promise<void> {
    check('closeStdin: pid', pid, processId);
    checkOptions('closeStdin', options, callRules);
    this.#connection.requireEnvd('0.5.2', 'closeStdin');
    await abortable(this.#inputs.get(`stdin:${pid}`)?.settled() ?? Promise.resolve(), options.signal);
    await this.#connection
      .call(options, 'closeStdin', (rpc, signal) =>
        rpc.process.closeStdin({ process: byPid(pid) }, { signal }),
      )
      .catch((error: unknown) => {
        throw namedProcess(error, pid);
      });
  }

  /** Has the sandbox's own shell signal a process that envd has started, so that no other can be meant. */
  async #signal(pid: number, killSignal: string, group: boolean, options: CallOptions): Promise<boolean> {
    if (!(await identifyProcess(this.#connection, pid, options))) return false;
    const args = ['-c', signalProgram, 'kill', String(pid), killSignal.slice(3), group ? 'group' : ''];
    const start = { cmd: '/bin/sh', args, envs: {}, user: 'root', timeoutMs: 30_000 };
    const { output } = await startProcess(this.#connection, start, options, 'kill');
    let exitCode: number | undefined;
    for await (const event of output) if (event.type === 'end') exitCode = event.exitCode;
    if (exitCode === 1) {
      throw new PermissionDeniedError(`Process ${pid} belongs to a Linux user whom this one may not signal.`);
    }
    if (exitCode !== 0 && exitCode !== 3) {
      throw new SandboxError(`The program that signals process ${pid} ended with ${exitCode}.`, {
        code: 'kill_failed',
      });
    }
    return exitCode === 0;
  }
}

/** The selector of a process. */
export function byPid(pid: number): { selector: { case: 'pid'; value: number } } {
  return { selector: { case: 'pid', value: pid } };
}
