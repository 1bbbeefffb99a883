import { ConnectionError, NotFoundError, TimeoutError } from '../errors.js';
import { timeLimit } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import { connectionLost } from '../transport/http-error.js';
import type { ProcessOutput } from '../wire/process-event.js';
import type { ProcessStream } from './process-stream.js';
import { type LostProcess, Reconnector } from './reconnector.js';

/** What a process prints, where it was not listened to for a while, and its end. */
export type LastingOutput = ProcessOutput | { type: 'gap'; reason?: string };

/** What a command is read from. */
export interface OutputSource {
  /** Leaving the loop stops listening; the process lives on. */
  readonly output: AsyncGenerator<LastingOutput, void, undefined>;
  /** Stops listening from elsewhere; `output` then ends. */
  cancel(): void;
}

export interface LastingStreamOptions {
  /** Ends the listening with its reason. */
  signal?: AbortSignal | undefined;
  /** For how long to try to come back to the process, in milliseconds; 0 to leave it at a stream that is lost. */
  reconnectMs: number;
  /** When the time of the stream is over, in milliseconds of the epoch. Absent: never. */
  deadline?: number | undefined;
  /** Whether the process is killed at the deadline, as it is by the one that it was started with. */
  endsProcess?: boolean | undefined;
}

/** When something that may last so long is over; undefined for no limit. */
export function deadlineAfter(timeoutMs: number): number | undefined {
  const ms = timeLimit(timeoutMs, 'timeoutMs');
  return ms > 0 ? Date.now() + ms : undefined;
}

/**
 * A stream of a process that comes back when it is lost. envd replays nothing, so what was printed meanwhile is missing:
 * there is a `gap` in its place.
 */
export class LastingStream implements OutputSource {
  readonly output: AsyncGenerator<LastingOutput, void, undefined>;
  readonly #connection: Connection;
  readonly #process: LostProcess;
  readonly #options: LastingStreamOptions;
  readonly #closing = new AbortController();
  #stream: ProcessStream | undefined;
  #cancelled = false;

  /** @param stream the one that there is; without it the first thing is to come back. */
  constructor(
    connection: Connection,
    process: LostProcess,
    stream: ProcessStream | undefined,
    options: LastingStreamOptions,
  ) {
    this.#connection = connection;
    this.#process = process;
    this.#stream = stream;
    this.#options = options;
    this.output = this.#read();
  }

  /** Stops listening, also while it is coming back; `output` then ends. */
  cancel(): void {
    this.#cancelled = true;
    this.#closing.abort(new Error('cancelled'));
    this.#stream?.cancel();
  }

  async *#read(): AsyncGenerator<LastingOutput, void, undefined> {
    const { signal } = this.#options;
    // Here, because the stream that the signal was given to may have been replaced.
    const onAbort = (): void => this.#closing.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    let lost: { error: unknown } | undefined;
    try {
      for (;;) {
        if (!this.#stream) {
          this.#stream = await this.#comeBack(lost);
          yield { type: 'gap' };
        }
        lost = yield* this.#listen(this.#stream);
        if (!lost || this.#cancelled) return;
        this.#stream = undefined;
      }
    } catch (error) {
      if (!this.#cancelled) throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Reads one stream. Gives what became of it, unless it is the end of the process. */
  async *#listen(
    stream: ProcessStream,
  ): AsyncGenerator<LastingOutput, { error: unknown } | undefined, undefined> {
    try {
      for await (const event of stream.output) {
        if (event.type === 'end' && this.#isKilledByTime(event)) return { error: timeIsOver() };
        yield event;
        if (event.type === 'end') return undefined;
      }
      return { error: connectionLost(undefined) };
    } catch (error) {
      return { error };
    }
  }

  async #comeBack(lost: { error: unknown } | undefined): Promise<ProcessStream> {
    const { deadline, reconnectMs } = this.#options;
    const { signal } = this.#closing;
    const leftMs = deadline && deadline - Date.now();
    if (leftMs !== undefined && leftMs <= 0) throw timeIsOver(lost?.error);
    // The time goes on while there is no stream to end with it.
    const expire = (): void => this.#closing.abort(timeIsOver(lost?.error));
    const timer = leftMs === undefined ? undefined : setTimeout(expire, leftMs);
    const reconnector = new Reconnector(this.#connection, this.#process, { maxMs: reconnectMs });
    try {
      if (lost) return await reconnector.reconnect(lost.error, signal, deadline);
      return await reconnector.connect({ signal }, deadline);
    } catch (error) {
      signal.throwIfAborted();
      throw lost && error !== lost.error ? notBack(error, this.#process.pid, reconnectMs) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The kill may be heard of before the end of the stream's time, or, by who was away, in its place. */
  #isKilledByTime({ exitCode }: { exitCode: number }): boolean {
    const { deadline, endsProcess } = this.#options;
    return endsProcess === true && exitCode === -1 && deadline !== undefined && Date.now() >= deadline;
  }
}

export function timeIsOver(cause?: unknown): TimeoutError {
  return new TimeoutError('The time given by timeoutMs is over.', { code: 'command_timeout', cause });
}

/** Why there is no coming back; what says more than that the connection is lost is left as it is. */
function notBack(error: unknown, pid: number, ms: number): unknown {
  const options = { code: 'connection_lost', cause: error };
  if (error instanceof NotFoundError) {
    return new ConnectionError(
      `The connection was lost, and process ${pid} ended before it was back: how is not known.`,
      options,
    );
  }
  if (!(error instanceof ConnectionError)) return error;
  return new ConnectionError(
    `The connection was lost and could not be made again within ${ms} ms. Process ${pid} may still run: commands.connect finds it.`,
    options,
  );
}
