import { ConnectionError, E2BEdgeError } from '../errors.js';
import type { Connection } from '../transport/connection.js';

/** The most that one call carries: what was typed while a call was on its way goes with the next. */
const maxCallBytes = 64 * 1024;

interface Waiting {
  data: Uint8Array;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Sends input to one process, in order. Over HTTP two calls may arrive in any order, so one is under way at a time, and
 * what comes meanwhile is joined for the next one.
 */
export class InputQueue {
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  readonly #connection: Connection;
  readonly #pid: number;
  readonly #kind: 'pty' | 'stdin';

  constructor(connection: Connection, pid: number, kind: 'pty' | 'stdin') {
    this.#connection = connection;
    this.#pid = pid;
    this.#kind = kind;
  }

  /** Whether nothing is under way or waits. */
  get idle(): boolean {
    return !this.#draining;
  }

  /** Resolves when envd has taken the bytes. */
  send(data: Uint8Array): Promise<void> {
    if (data.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      // A copy: the caller may use its buffer again before the bytes leave.
      this.#waiting.push({ data: data.slice(), resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when nothing is under way and nothing waits. */
  async settled(): Promise<void> {
    await this.#draining;
  }

  /** Refuses what waits; a call that is under way goes on. */
  drop(reason: string, cause?: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(notExecuted(reason, cause));
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      try {
        await this.#call(join(batch));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(uncertain(error));
        // What came after it was meant to follow it: half a command line must not be executed.
        this.drop('what was sent before it failed', error);
      }
    }
    this.#draining = undefined;
  }

  #nextBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { data } of this.#waiting) {
      if (count > 0 && bytes + data.length > maxCallBytes) break;
      bytes += data.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #call(data: Uint8Array): Promise<void> {
    const selector = { case: 'pid' as const, value: this.#pid };
    // A program that does not read holds the call up for as long as it pleases: that is no failure.
    await this.#connection.call({ requestTimeoutMs: 0 }, 'sendInput', (rpc, signal) =>
      rpc.process.sendInput(
        { process: { selector }, input: { input: { case: this.#kind, value: data } } },
        { signal, headers: { 'idempotency-key': crypto.randomUUID() } },
      ),
    );
  }
}

/** What becomes of input that has surely had no effect. */
export function notExecuted(reason: string, cause?: unknown): ConnectionError {
  return new ConnectionError(`The input was not sent: ${reason}.`, { code: 'input_not_executed', cause });
}

/** When no answer came, nobody knows whether the input was executed; an answer says that it was not. */
function uncertain(error: unknown): unknown {
  if (!(error instanceof E2BEdgeError) || !/^(connection_|request_timeout)/.test(error.code)) return error;
  return new ConnectionError(
    'The connection was lost while input was sent: it may have been executed or not.',
    {
      code: 'input_uncertain',
      cause: error,
    },
  );
}

function join(batch: Waiting[]): Uint8Array {
  const [first] = batch;
  if (batch.length === 1 && first) return first.data;
  const joined = new Uint8Array(batch.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of batch) {
    joined.set(data, at);
    at += data.length;
  }
  return joined;
}
