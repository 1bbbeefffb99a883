import { ConnectionError, E2BEdgeError, isE2BEdgeError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import { abortable } from '../transport/deadline.js';
import { type InterruptSignal, interrupted, interruptSignal } from '../wire/interrupt-key.js';
import { type Interrupt, interruptStalled, type PendingCall } from './interrupt.js';

/** The most that one call carries: what was typed while a call was on its way goes with the next. */
const maxCallBytes = 256 * 1024;

type Input = Uint8Array | AsyncIterable<Uint8Array>;

interface Waiting {
  input: Input;
  options: CallOptions;
  /** Of an interrupt key: whether the program was signalled in its place. */
  signalled?: Promise<boolean>;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Sends input to one process, in order. Over HTTP two calls may arrive in any order, so one is under way at a time, and
 * what comes meanwhile is joined for the next one.
 *
 * A terminal's interrupt keys (Ctrl-C, Ctrl-Z, Ctrl-\) take the place of all that has not been sent yet. If the call that
 * is under way is stalled, because the program does not read, room is made for them in the terminal.
 */
export class InputQueue {
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #pending: PendingCall | undefined;
  /** What is being done for interrupt keys: once for all that are pressed meanwhile. */
  readonly #interrupting: Map<InterruptSignal, Promise<boolean>> = new Map();
  /** Whether what is left of the input that is being sent is not to follow. */
  #isCut = false;
  readonly #connection: Connection;
  readonly #pid: number;
  readonly #kind: 'pty' | 'stdin';
  readonly #interrupt: Interrupt | undefined;
  readonly #isTakenAhead: boolean;

  /**
   * @param interrupt of a terminal: how room is made for an interrupt key.
   * @param isTakenAhead whether a program in between takes in what the terminal's own does not read: no call is stalled.
   */
  constructor(
    connection: Connection,
    pid: number,
    kind: 'pty' | 'stdin',
    interrupt?: Interrupt,
    isTakenAhead = false,
  ) {
    this.#isTakenAhead = isTakenAhead;
    this.#connection = connection;
    this.#pid = pid;
    this.#kind = kind;
    this.#interrupt = interrupt;
  }

  /** Whether nothing is under way or waits. */
  get idle(): boolean {
    return !this.#draining;
  }

  /**
   * Resolves when envd has taken the bytes. A stream is read as fast as they are taken, and what is sent after it waits
   * for its end.
   * @param options `requestTimeoutMs` is for each call: a program that does not read holds one up as long as it pleases.
   */
  send(input: Input, options: CallOptions = {}): Promise<void> {
    const { signal } = options;
    if (input instanceof Uint8Array && input.length === 0) return Promise.resolve();
    if (signal?.aborted) return Promise.reject(signal.reason);
    // A copy: the caller may use its buffer again before the bytes leave. One that is larger than a call is read later.
    const own = input instanceof Uint8Array && input.length <= maxCallBytes ? input.slice() : input;
    let onAbort: () => void = () => undefined;
    const sent = new Promise<void>((resolve, reject) => {
      const entry: Waiting = { input: own, options, resolve, reject };
      if (own instanceof Uint8Array) this.#makeWayFor(entry, own);
      onAbort = () => this.#withdraw(entry);
      this.#waiting.push(entry);
      this.#draining ??= this.#drain();
    });
    if (!signal) return sent;
    signal.addEventListener('abort', onAbort, { once: true });
    return sent.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** Resolves when nothing is under way and nothing waits. */
  async settled(): Promise<void> {
    await this.#draining;
  }

  /** Refuses what waits; a call that is under way goes on. */
  drop(reason: string, cause?: unknown): void {
    this.#dropAllBut(() => false, reason, cause);
  }

  #dropAllBut(isKept: (entry: Waiting) => boolean, reason: string, cause?: unknown): void {
    const dropped = this.#waiting.filter((entry) => !isKept(entry));
    this.#waiting = this.#waiting.filter(isKept);
    for (const { input, reject } of dropped) {
      letGo(input);
      reject(notExecuted(reason, cause));
    }
  }

  /** An interrupt key is not to wait for what its user wants to stop. */
  #makeWayFor(key: Waiting, data: Uint8Array): void {
    const signal = interruptSignal(data);
    const interrupt = this.#interrupt;
    if (!signal || !interrupt) return;
    this.#isCut = true;
    this.#dropAllBut(isKey, interrupted);
    const known = this.#interrupting.get(signal);
    key.signalled =
      known ??
      interruptStalled(this.#pending, () => interrupt(this.#pid, signal), this.#isTakenAhead).finally(() =>
        this.#interrupting.delete(signal),
      );
    this.#interrupting.set(signal, key.signalled);
  }

  /** What has not left yet can be taken back without harm to what is behind it. */
  #withdraw(entry: Waiting): void {
    const index = this.#waiting.indexOf(entry);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    letGo(entry.input);
    entry.reject(entry.options.signal?.reason);
  }

  async #drain(): Promise<void> {
    for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) {
      const { options = {}, signalled } = batch[0] ?? {};
      this.#isCut = false;
      try {
        if (!(await signalled)) {
          for await (const piece of pieces(batch, options.signal)) {
            if (this.#isCut && !signalled) throw notExecuted(interrupted);
            await this.#call(piece, options);
          }
        }
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
        // What came after it was meant to follow it: half a command line must not be executed. A key that ends the
        // program was not.
        this.#dropAllBut(isKey, 'what was sent before it failed', error);
      }
    }
    this.#draining = undefined;
  }

  /** Bytes that are to be sent in the same way, to be joined; or one input that goes alone. */
  #nextBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { input, options, signalled } of this.#waiting) {
      const isPlain =
        input instanceof Uint8Array &&
        !options.signal &&
        options.requestTimeoutMs === undefined &&
        !signalled;
      if (count > 0 && (!isPlain || bytes + input.length > maxCallBytes)) break;
      count++;
      if (!isPlain) break;
      bytes += input.length;
    }
    return this.#waiting.splice(0, count);
  }

  async #call(data: Uint8Array, options: CallOptions): Promise<void> {
    const selector = { case: 'pid' as const, value: this.#pid };
    const call = this.#connection
      .call(options, 'sendInput', (rpc, signal) =>
        rpc.process.sendInput(
          { process: { selector }, input: { input: { case: this.#kind, value: data } } },
          { signal },
        ),
      )
      .catch((error: unknown) => {
        throw uncertain(error);
      });
    this.#pending = { since: Date.now(), answer: call };
    try {
      await call;
    } finally {
      this.#pending = undefined;
    }
  }
}

function isKey({ signalled }: Waiting): boolean {
  return signalled !== undefined;
}

/** What becomes of input that has surely had no effect. */
export function notExecuted(reason: string, cause?: unknown): ConnectionError {
  return new ConnectionError(`The input was not sent: ${reason}.`, { code: 'input_not_executed', cause });
}

/** When no answer came, nobody knows whether the input was executed; an answer says that it was not. */
function uncertain(error: unknown): unknown {
  if (!(error instanceof E2BEdgeError) || !error.uncertain) return error;
  const what = isE2BEdgeError(error, 'request_timeout')
    ? 'The program did not take its input within requestTimeoutMs (0 waits for ever), or the connection is dead'
    : 'The connection was lost while input was sent';
  return new ConnectionError(`${what}: it may have been executed or not.`, {
    code: 'input_uncertain',
    cause: error,
    uncertain: true,
  });
}

/** The pieces of a batch, none larger than a call. */
async function* pieces(
  batch: Waiting[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const [first] = batch;
  if (first && !(first.input instanceof Uint8Array)) yield* streamed(first.input, signal);
  else yield* cut(join(batch.map(({ input }) => input as Uint8Array)));
}

async function* streamed(
  input: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = input[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await abortable(chunks.next(), signal);
      if (next.done) return;
      yield* cut(next.value);
    }
  } finally {
    // Not waited for: a source that gives nothing does not hear of it either.
    chunks.return?.().catch(() => undefined);
  }
}

/** Tells a source that nobody will read it: what it holds, a connection perhaps, is free. */
function letGo(input: Input): void {
  if (input instanceof Uint8Array) return;
  // It throws where somebody else reads it by now.
  void (async () => input[Symbol.asyncIterator]().return?.())().catch(() => undefined);
}

function* cut(data: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < data.length; at += maxCallBytes) yield data.subarray(at, at + maxCallBytes);
}

function join(parts: Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first) return first;
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
