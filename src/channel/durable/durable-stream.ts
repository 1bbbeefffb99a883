import { ConnectionError, isE2BEdgeError, SandboxError } from '../../errors.js';
import type { Connection } from '../../transport/connection.js';
import { connectionLost } from '../../transport/http-error.js';
import { reconnect } from '../../transport/reconnect.js';
import { Signal } from '../../wire/messages/process.js';
import {
  type LastingOutput,
  type LastingStreamOptions,
  type OutputSource,
  timeIsOver,
} from '../lasting-stream.js';
import { type ProcessStream, startProcess } from '../process-stream.js';
import { type DurableStatus, durableNotFound, readStatus } from './durable-status.js';
import { readProgram } from './programs.js';
import { type DurableLog, helper } from './run-program.js';

/** Bytes of each output. */
export interface DurableOffsets {
  stdout: number;
  stderr: number;
}

export interface DurableStreamOptions extends LastingStreamOptions {
  /** How long one reader may live, in milliseconds: one that is forgotten is not there for ever. */
  leaseMs?: number;
  /** Hears of each try to read again before it is made, and is given what ends the wait for it. */
  onAttempt?: (attempt: number, error: unknown, now: () => void) => void;
  /** Hears that reading goes on after such tries. */
  onReader?: () => void;
}

/** A process that prints the log, and from where on it does. */
interface Reader extends ProcessStream {
  from: DurableOffsets;
}

/** What becomes of reading: the end of the command, or what it was lost by. */
type Outcome = { status: DurableStatus } | { error: unknown };

const defaultLeaseMs = 120_000;
/** When the next reader is started, as a share of the lease. */
const renewAt = 0.6;
/** How long a start of a reader may go without an answer, in milliseconds. */
const attemptMs = 10_000;

/**
 * Reads what is kept of a durable command, and what it prints from then on. A reader that is lost is replaced, and goes
 * on at the byte at which the other stopped.
 */
export class DurableStream implements OutputSource {
  readonly output: AsyncGenerator<LastingOutput, void, undefined>;
  readonly #connection: Connection;
  readonly #log: DurableLog;
  readonly #offsets: DurableOffsets;
  readonly #options: DurableStreamOptions;
  readonly #closing = new AbortController();
  #reader: Reader | undefined;
  #cancelled = false;

  /** @param offsets where to begin; they grow with what was taken. */
  constructor(
    connection: Connection,
    log: DurableLog,
    offsets: DurableOffsets,
    options: DurableStreamOptions,
  ) {
    this.#connection = connection;
    this.#log = log;
    this.#offsets = offsets;
    this.#options = options;
    this.output = this.#read();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#closing.abort(new Error('cancelled'));
    this.#dismiss(this.#reader);
  }

  async *#read(): AsyncGenerator<LastingOutput, void, undefined> {
    const { signal, deadline } = this.#options;
    const onAbort = (): void => this.#closing.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const expire = (): void => this.#closing.abort(timeIsOver());
    const timer = deadline === undefined ? undefined : setTimeout(expire, deadline - Date.now());
    try {
      let reader = await this.#start().catch((error: unknown) => this.#startAgain(error));
      for (;;) {
        const end = yield* this.#follow(reader);
        if (this.#cancelled) return;
        this.#closing.signal.throwIfAborted();
        if ('status' in end) {
          yield* this.#end(end.status);
          return;
        }
        reader = await this.#startAgain(end.error);
      }
    } catch (error) {
      if (!this.#cancelled) throw this.#closing.signal.aborted ? this.#closing.signal.reason : error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#dismiss(this.#reader);
    }
  }

  /** Reads one reader after the other, each until its successor is there. Gives what the last was lost by, or the end. */
  async *#follow(first: Reader): AsyncGenerator<LastingOutput, Outcome, undefined> {
    for (let reader = first; ; ) {
      this.#reader = reader;
      const renewal = this.#renew(reader);
      let error: unknown;
      try {
        error = yield* this.#drain(reader);
      } finally {
        renewal.end();
      }
      // One that is only not listened to any more is ended in the end; one that was lost may be another process by now.
      if (!this.#closing.signal.aborted) this.#reader = undefined;
      const { next } = renewal;
      if (!next) return error ? { error } : this.#ended();
      reader = next;
    }
  }

  /** Starts the successor of a reader in time, and then ends the reader. */
  #renew(reader: Reader): { next?: Reader; end(): void } {
    const renewal: { next?: Reader; end(): void } = { end: () => clearTimeout(timer) };
    const start = async (): Promise<void> => {
      const next = await this.#start();
      // The reader may have been lost meanwhile, and another be there.
      if (this.#reader !== reader) return this.#dismiss(next);
      renewal.next = next;
      this.#dismiss(reader);
    };
    const timer = setTimeout(
      // One that cannot be started leaves the reader to the end of its lease.
      () => void start().catch(() => undefined),
      renewAt * (this.#options.leaseMs ?? defaultLeaseMs),
    );
    return renewal;
  }

  /** Hands on what a reader prints. Gives what it was lost by; nothing where it has printed all that it will. */
  async *#drain(reader: Reader): AsyncGenerator<LastingOutput, unknown, undefined> {
    const at = { ...reader.from };
    try {
      for await (const event of reader.output) {
        if (event.type === 'end') {
          if (event.exitCode === 3) return durableNotFound(this.#log.id);
          return event.exitCode === 0 ? undefined : connectionLost(undefined);
        }
        if (event.type === 'pty') continue;
        // The reader before it may have brought the beginning.
        const data = event.data.subarray(Math.max(0, this.#offsets[event.type] - at[event.type]));
        at[event.type] += event.data.length;
        if (data.length === 0) continue;
        yield { type: event.type, data };
        this.#offsets[event.type] += data.length;
      }
      return connectionLost(undefined);
    } catch (error) {
      return isE2BEdgeError(error, 'command_timeout') ? connectionLost(error) : error;
    }
  }

  /** How the command ended, where all that it printed was read. */
  async #ended(): Promise<Outcome> {
    try {
      const status = await readStatus(this.#connection, this.#log, { signal: this.#closing.signal });
      const { size, running } = status;
      const { stdout, stderr } = this.#offsets;
      const all = !running && stdout >= size.stdout && stderr >= size.stderr;
      return all ? { status } : { error: connectionLost(undefined) };
    } catch (error) {
      return { error };
    }
  }

  *#end({ full, exitCode, error }: DurableStatus): Generator<LastingOutput, void, undefined> {
    for (const type of ['stdout', 'stderr'] as const) {
      if (full[type]) yield { type: 'gap', reason: `the log of ${type} was full: see maxLogBytes` };
    }
    if (exitCode === undefined) {
      throw new SandboxError(
        `The durable command ${this.#log.id} is over, and how is not known: what ran it was killed.`,
        { code: 'exit_unknown' },
      );
    }
    yield { type: 'end', exitCode, status: error ?? 'exit status 0', ...(error !== undefined && { error }) };
  }

  async #start(): Promise<Reader> {
    const { leaseMs = defaultLeaseMs } = this.#options;
    const from = { ...this.#offsets };
    const program = helper('read', this.#log, readProgram, [String(from.stdout), String(from.stderr)]);
    const options = { signal: this.#closing.signal, requestTimeoutMs: attemptMs };
    const start = { ...program, timeoutMs: leaseMs };
    return { ...(await startProcess(this.#connection, start, options, 'durable.read')), from };
  }

  async #startAgain(cause: unknown): Promise<Reader> {
    const { reconnectMs, onAttempt, onReader } = this.#options;
    try {
      if (!(cause instanceof ConnectionError)) throw cause;
      const reader = await reconnect(() => this.#start(), cause, {
        maxMs: reconnectMs,
        signal: this.#closing.signal,
        ...(onAttempt && { onAttempt }),
      });
      onReader?.();
      return reader;
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      throw new ConnectionError(
        `The log could not be read any more, for ${reconnectMs} ms. commands.attach goes on with it.`,
        { code: 'connection_lost', cause: error },
      );
    }
  }

  /** Ends a reader that surely lives: the stream to it is there. */
  #dismiss(reader: Reader | undefined): void {
    if (!reader) return;
    if (this.#reader === reader) this.#reader = undefined;
    reader.cancel();
    const process = { selector: { case: 'pid' as const, value: reader.pid } };
    this.#connection
      .call({ requestTimeoutMs: attemptMs }, 'durable.read', (rpc, signal) =>
        rpc.process.sendSignal({ process, signal: Signal.SIGKILL }, { signal }),
      )
      .catch(() => undefined);
  }
}
