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
  #busy = false;
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
    return !this.#busy;
  }

  /** Resolves when envd has taken the bytes. */
  send(data: Uint8Array): Promise<void> {
    if (data.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      // A copy: the caller may use its buffer again before the bytes leave.
      this.#waiting.push({ data: data.slice(), resolve, reject });
      if (!this.#busy) void this.#drain();
    });
  }

  /** Refuses what waits; a call that is under way goes on. */
  drop(reason: string): void {
    for (const { reject } of this.#waiting.splice(0)) {
      reject(new ConnectionError(`The input was not sent: ${reason}.`, { code: 'input_not_executed' }));
    }
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      try {
        await this.#call(join(batch));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(uncertain(error));
      }
    }
    this.#busy = false;
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

/** When no answer came, nobody knows whether the input was executed; an answer says that it was not. */
function uncertain(error: unknown): unknown {
  if (!(error instanceof E2BEdgeError) || !error.code.startsWith('connection_')) return error;
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
