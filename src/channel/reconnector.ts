import type { CallOptions } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import { mayHeal, reconnect } from '../transport/reconnect.js';
import { identifyProcess, isSameProcess, type ProcessIdentity } from './process-identity.js';
import { connectProcess, type ProcessStream, processNotFound } from './process-stream.js';

/** The process to come back to. */
export interface LostProcess {
  pid: number;
  /** Absent where it could not be learnt: such a process is not come back to. */
  identity: Promise<ProcessIdentity | undefined>;
}

/** The process of a stream, to come back to. One that was started elsewhere is asked for while it surely is the one meant. */
export function lostProcess(
  connection: Connection,
  { pid, identity }: ProcessStream,
  signal: AbortSignal | undefined,
): LostProcess {
  if (identity) return { pid, identity: Promise.resolve(identity) };
  return { pid, identity: identifyProcess(connection, pid, signal ? { signal } : {}).catch(() => undefined) };
}

export interface ReconnectorOptions {
  /** For how long a try may be followed by another, in milliseconds. */
  maxMs: number;
  /** Hears of each try before it is made. */
  onAttempt?: (attempt: number, error: unknown) => void;
}

/** How long a try may go without an answer, in milliseconds: a dead connection is left for a new one. */
const attemptMs = 10_000;

/** Listens again to a process whose stream was lost, and to no other that has been given its id. */
export class Reconnector {
  readonly #connection: Connection;
  readonly #process: LostProcess;
  readonly #options: ReconnectorOptions;
  #wake: (() => void) | undefined;

  constructor(connection: Connection, process: LostProcess, options: ReconnectorOptions) {
    this.#connection = connection;
    this.#process = process;
    this.#options = options;
  }

  /**
   * Tries until it works.
   * @param deadline when the new stream is to end, in milliseconds of the epoch. Absent: never.
   * @throws the last error: one that trying does not heal, the one at which the time was over, or the signal's reason.
   */
  async reconnect(cause: unknown, signal: AbortSignal, deadline?: number): Promise<ProcessStream> {
    if (!mayHeal(cause)) throw cause;
    const { maxMs, onAttempt } = this.#options;
    return reconnect(() => this.connect({ signal, requestTimeoutMs: attemptMs }, deadline), cause, {
      maxMs,
      signal,
      onAttempt: (attempt, error, now) => {
        this.#wake = now;
        onAttempt?.(attempt, error);
      },
    });
  }

  /**
   * Tries once.
   * @throws {NotFoundError} code `process_not_found`: it ended, and how is not known any more.
   */
  async connect(options: CallOptions, deadline?: number): Promise<ProcessStream> {
    const { pid, identity } = this.#process;
    const [known, running] = [await identity, await identifyProcess(this.#connection, pid, options)];
    if (!known || (running && !isSameProcess(known, running))) throw processNotFound(pid);
    // 0 would be no limit.
    const timeoutMs = deadline === undefined ? 0 : Math.max(1, deadline - Date.now());
    const stream = await connectProcess(
      this.#connection,
      pid,
      { ...options, timeoutMs },
      'command.reconnect',
    );
    if (running) return stream;
    // What was not in the list can only be an end that envd remembers; a life would be another's.
    const { value } = await stream.output.next();
    stream.cancel();
    if (value?.type !== 'end') throw processNotFound(pid);
    return { ...stream, output: once(value) };
  }

  /** Tries at once where it waits. */
  wake(): void {
    this.#wake?.();
  }
}

async function* once<T>(value: T): AsyncGenerator<T, void, undefined> {
  yield value;
}
