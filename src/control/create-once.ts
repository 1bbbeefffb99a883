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

/** How many requests one creation makes at most. */
const mostRequests = 2;
/** The first request with a key is not answered yet, or never was: some runtimes send a request twice, unseen. */
const unansweredCodes = ['idempotency_in_progress', 'idempotency_outcome_unknown'];
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
  try {
    return await withDeadline(call, 'Sandbox.create', (signal) => creation.run(signal));
  } finally {
    creation.settle();
  }
}

/** One step of a creation. The first ones share one deadline, which is that of the signal. */
type OpenCall = Required<CallOptions>;

class Creation {
  readonly #api: ControlApi;
  readonly #sandbox: NewSandbox;
  readonly #options: CreateOnceOptions;
  readonly #ownKey: string | undefined;
  #requests = 0;
  /**
   * The keys of the requests of which it is not known what they did. Each request has a key of its own, unless the
   * caller gave one: so what the others made, and copies of it, cannot be taken for it and killed.
   */
  readonly #unanswered = new Set<string>();

  constructor(api: ControlApi, sandbox: NewSandbox, options: CreateOnceOptions, key: string | undefined) {
    this.#api = api;
    this.#sandbox = sandbox;
    this.#options = options;
    this.#ownKey = key;
  }

  async run(signal: AbortSignal): Promise<SandboxRecord> {
    const call: OpenCall = { signal, requestTimeoutMs: 0 };
    const earlier = this.#ownKey && (await this.#takeUp(this.#ownKey, call));
    if (earlier) return earlier;
    for (;;) {
      try {
        const record = await this.#create(call, this.#ownKey ?? newKey());
        return await this.#unlessEnded(record, call);
      } catch (error) {
        if (signal.aborted || this.#unanswered.size === 0) throw error;
        this.#warn('the answer was lost, so what it made is looked for', error);
        const found = await this.#lookUp(call, error);
        if (found) return found;
        if (this.#requests >= mostRequests) throw error;
      }
    }
  }

  /** Whatever happened: nothing that nobody knows may stay. */
  settle(): void {
    if (this.#unanswered.size === 0 || this.#ownKey) return;
    this.#warn('what an unanswered request may have made is looked for and killed');
    const work = this.#sweep();
    try {
      this.#options.waitUntil?.(work);
    } catch (error) {
      this.#warn('waitUntil failed', error);
    }
  }

  async #create(call: OpenCall, sentKey: string): Promise<SandboxRecord> {
    const key = this.#ownKey ?? sentKey;
    const isRepeated = this.#unanswered.has(key);
    const metadata = { ...this.#sandbox.metadata, [createMarker]: key };
    const sent = this.#options.sendKey ? { idempotencyKey: sentKey } : {};
    this.#requests++;
    this.#unanswered.add(key);
    try {
      const record = await this.#api.create({ ...this.#sandbox, metadata }, { ...call, ...sent });
      this.#unanswered.delete(key);
      return record;
    } catch (error) {
      // What refuses a repeated key says nothing of the first request, which may be under way.
      const isUnknown = isRepeated || call.signal.aborted || saysLittle(error);
      if (!isUnknown) this.#unanswered.delete(key);
      throw error;
    }
  }

  /** A control plane can keep a key for longer than what it made, and answer with a sandbox that is no more. */
  async #unlessEnded(record: SandboxRecord, call: OpenCall): Promise<SandboxRecord> {
    if (!this.#ownKey || !this.#options.sendKey) return record;
    try {
      await this.#api.info(record.sandboxID, call);
    } catch (error) {
      if (call.signal.aborted) throw error;
      if (isE2BEdgeError(error, 'sandbox_not_found')) return this.#create(call, newKey());
    }
    return record;
  }

  /** @throws `lost` when the control plane cannot be asked: creating again could then make a second one. */
  async #lookUp(call: OpenCall, lost: unknown): Promise<SandboxRecord | undefined> {
    for (const waitMs of lookUpWaitsMs) {
      await pause(waitMs, call.signal);
      for (const key of this.#unanswered) {
        const found = await this.#takeUp(key, call).catch((error: unknown) => {
          throw call.signal.aborted ? error : lost;
        });
        if (found) return found;
      }
    }
    return undefined;
  }

  async #takeUp(key: string, call: OpenCall): Promise<SandboxRecord | undefined> {
    const [sandboxId] = await this.#marked(key, call);
    if (sandboxId === undefined) return undefined;
    const { timeout } = this.#sandbox;
    const record = await this.#api.connect(sandboxId, timeout === undefined ? {} : { timeout }, call);
    this.#unanswered.delete(key);
    return record;
  }

  /** What has the mark, the oldest first: copies of a sandbox have it too. */
  async #marked(key: string, call: OpenCall): Promise<string[]> {
    const { items } = await this.#api.list({ metadata: { [createMarker]: key }, order: 'asc' }, call);
    return items.map(({ sandboxID }) => sandboxID);
  }

  /** Kills what unanswered requests made, until nothing more can appear. Never rejects. */
  async #sweep(): Promise<void> {
    const call: OpenCall = { signal: new AbortController().signal, requestTimeoutMs: sweepCallTimeoutMs };
    for (const waitMs of sweepWaitsMs) {
      await pause(waitMs, call.signal);
      try {
        for (const key of this.#unanswered) {
          for (const sandboxId of await this.#marked(key, call)) {
            await this.#api.kill(sandboxId, call);
            this.#unanswered.delete(key);
          }
        }
      } catch (error) {
        this.#warn('what an unanswered request made could not be killed yet', error);
      }
      if (this.#unanswered.size === 0) return;
    }
  }

  #warn(message: string, ...cause: unknown[]): void {
    this.#options.logger?.warn?.(`Sandbox.create: ${message}`, ...cause);
  }
}

/** Letters and digits only, which every control plane that knows of keys takes. */
function newKey(): string {
  return crypto.randomUUID().replaceAll('-', '');
}

/** Whether the request that failed may have been executed, or may be yet. */
function saysLittle(error: unknown): boolean {
  return isE2BEdgeError(error) && (error.uncertain || unansweredCodes.includes(error.code));
}
