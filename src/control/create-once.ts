import { isE2BEdgeError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import { pause, withDeadline } from '../transport/deadline.js';
import type { Logger } from '../transport/hooks.js';
import type { ControlApi } from './api.js';
import { createMarker } from './create-marker.js';
import type { NewSandbox, SandboxRecord } from './records.js';

export interface CreateOnceOptions {
  /**
   * Names the creation. Others may know one that the caller gave: what it made may be theirs, so it is looked up first,
   * and never killed. False: none of what is here happens.
   */
  idempotencyKey: string | false | undefined;
  /** Whether the control plane is told of the key, beside the metadata. */
  sendKey: boolean;
  logger: Logger | undefined;
  waitUntil: ((work: Promise<void>) => void) | undefined;
}

/** How many requests of one creation may stay without an answer. */
const mostUnanswered = 2;
/** The waits before each look for a sandbox whose creation may be under way still, in milliseconds. */
const lookUpWaitsMs = [0, 300, 700, 1500];
/** The same when nobody waits any more: half a minute in all. */
const sweepWaitsMs = [0, 500, 1000, 2000, 4000, 8000, 15_000];
const sweepCallTimeoutMs = 5_000;

/**
 * Creates a sandbox so that an answer that is lost leaves none behind. It is marked in its metadata. When it is unknown
 * what became of the request, the mark is looked for: the sandbox that has it is taken up, and where there is none, it
 * is created again. When the caller gives up, or the time runs out, what still appears is killed in the background.
 */
export async function createOnce(
  api: ControlApi,
  sandbox: NewSandbox,
  call: CallOptions,
  options: CreateOnceOptions,
): Promise<SandboxRecord> {
  if (options.idempotencyKey === false) return api.create(sandbox, call);
  const creation = new Creation(api, sandbox, options, options.idempotencyKey);
  let record: SandboxRecord | undefined;
  try {
    record = await withDeadline(call, 'Sandbox.create', (signal) => creation.run(signal));
    return record;
  } finally {
    creation.settle(record?.sandboxID);
  }
}

/** One step of a creation. The first ones share one deadline, which is that of the signal. */
type OpenCall = Required<CallOptions>;

class Creation {
  readonly #api: ControlApi;
  readonly #sandbox: NewSandbox;
  readonly #options: CreateOnceOptions;
  readonly #key: string;
  readonly #shared: boolean;
  /** The requests of which it is not known what they did. */
  #unanswered = 0;

  constructor(api: ControlApi, sandbox: NewSandbox, options: CreateOnceOptions, key: string | undefined) {
    this.#api = api;
    this.#options = options;
    this.#key = key ?? crypto.randomUUID();
    this.#shared = key !== undefined;
    this.#sandbox = { ...sandbox, metadata: { ...sandbox.metadata, [createMarker]: this.#key } };
  }

  async run(signal: AbortSignal): Promise<SandboxRecord> {
    const call: OpenCall = { signal, requestTimeoutMs: 0 };
    const earlier = this.#shared ? await this.#takeUp(call) : undefined;
    if (earlier) return earlier;
    for (;;) {
      try {
        return await this.#create(call);
      } catch (error) {
        if (signal.aborted || this.#unanswered === 0) throw error;
        this.#options.logger?.warn?.(
          'Sandbox.create: the answer was lost, so what it made is looked for',
          error,
        );
        const found = await this.#lookUp(call, error);
        if (found) return found;
        if (this.#unanswered >= mostUnanswered) throw error;
      }
    }
  }

  /** Whatever happened: nothing that nobody knows may stay. */
  settle(kept: string | undefined): void {
    if (this.#unanswered === 0 || this.#shared) return;
    this.#options.logger?.warn?.(
      'Sandbox.create: what an unanswered request may have made is looked for and killed',
    );
    this.#options.waitUntil?.(this.#sweep(kept));
  }

  async #create(call: OpenCall): Promise<SandboxRecord> {
    const key = this.#options.sendKey ? { idempotencyKey: this.#key } : {};
    this.#unanswered++;
    try {
      const record = await this.#api.create(this.#sandbox, { ...call, ...key });
      this.#unanswered--;
      return record;
    } catch (error) {
      if (!call.signal.aborted && !this.#mayHaveHappened(error)) this.#unanswered--;
      throw error;
    }
  }

  /** @throws `lost` when the control plane cannot be asked: creating again could then make a second one. */
  async #lookUp(call: OpenCall, lost: unknown): Promise<SandboxRecord | undefined> {
    for (const waitMs of lookUpWaitsMs) {
      await pause(waitMs, call.signal);
      const found = await this.#takeUp(call).catch((error: unknown) => {
        throw call.signal.aborted ? error : lost;
      });
      if (!found) continue;
      this.#unanswered--;
      return found;
    }
    return undefined;
  }

  async #takeUp(call: OpenCall): Promise<SandboxRecord | undefined> {
    const [sandboxId] = await this.#marked(call);
    if (sandboxId === undefined) return undefined;
    const { timeout } = this.#sandbox;
    return this.#api.connect(sandboxId, timeout === undefined ? {} : { timeout }, call);
  }

  async #marked(call: OpenCall): Promise<string[]> {
    const metadata = { [createMarker]: this.#key };
    const { items } = await this.#api.list({ metadata }, call);
    return items.map(({ sandboxID }) => sandboxID);
  }

  /** Kills what has the mark but for the one that the caller has, until nothing more can appear. Never rejects. */
  async #sweep(kept: string | undefined): Promise<void> {
    const call: OpenCall = { signal: new AbortController().signal, requestTimeoutMs: sweepCallTimeoutMs };
    for (const waitMs of sweepWaitsMs) {
      await pause(waitMs, call.signal);
      try {
        for (const sandboxId of await this.#marked(call)) {
          if (sandboxId !== kept && (await this.#api.kill(sandboxId, call))) this.#unanswered--;
        }
      } catch (error) {
        this.#options.logger?.warn?.('Sandbox.create: looking for an unanswered request failed', error);
      }
      if (this.#unanswered <= 0) return;
    }
  }

  /** A conflict after a lost answer: the control plane knows the key, and is at work for the first request still. */
  #mayHaveHappened(error: unknown): boolean {
    return isE2BEdgeError(error) && (error.uncertain || (error.statusCode === 409 && this.#unanswered > 1));
  }
}
