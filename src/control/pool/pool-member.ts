import { InvalidArgumentError, SandboxError } from '../../errors.js';
import { timeLimit } from '../../transport/call-options.js';
import { abortable } from '../../transport/deadline.js';
import { mostLifetimeMs } from '../../transport/lifetime.js';
import { stepTimeout } from './pool-errors.js';
import type { PoolableSandbox, PoolCall, PoolSettings } from './pool-options.js';

/** How long a kill may take, in milliseconds. */
export const killTimeoutMs = 30_000;

/** One sandbox of a pool, from its start to its end. */
export class PoolMember<S extends PoolableSandbox> {
  readonly sandbox: S;
  /** What is being done with it. */
  phase: 'idle' | 'leased' | 'checked' | 'reset' | 'killed' = 'checked';
  /** How often it was handed out. */
  uses = 0;
  /** When it was made or given back. */
  restsSince: number = Date.now();
  readonly #settings: PoolSettings<S>;
  readonly #bornAt: number = Date.now();
  readonly #lifeMs: number;
  #extendedAt: number = Date.now();

  private constructor(sandbox: S, lifeMs: number, settings: PoolSettings<S>) {
    this.sandbox = sandbox;
    this.#lifeMs = lifeMs;
    this.#settings = settings;
  }

  /** Makes a sandbox. One that cannot be asked about is killed again. */
  static async start<S extends PoolableSandbox>(
    settings: PoolSettings<S>,
    call: PoolCall,
  ): Promise<PoolMember<S>> {
    const sandbox = await settings.create(call);
    if (typeof sandbox?.getInfo !== 'function') {
      throw new InvalidArgumentError('createSandboxPool: create has to resolve to a Sandbox.');
    }
    try {
      // Both times are the server's, so its clock may be off.
      const { startedAt, endAt } = await sandbox.getInfo(call);
      const lifeMs = Math.min(endAt.getTime() - startedAt.getTime(), mostLifetimeMs);
      if (!(lifeMs > 0)) throw new SandboxError(`The sandbox ends ${lifeMs} ms after its start.`);
      return new PoolMember(sandbox, lifeMs, settings);
    } catch (error) {
      await sandbox.kill({ requestTimeoutMs: killTimeoutMs }).catch(() => undefined);
      throw error;
    }
  }

  /** From when on it is neither handed out nor held ready. */
  get retiresAt(): number {
    const { maxAgeMs } = this.#settings;
    return maxAgeMs > 0 ? this.#bornAt + maxAgeMs : Number.POSITIVE_INFINITY;
  }

  /** When its life has to be made longer, which leaves half of it for that to fail and be seen. */
  get extendsAt(): number {
    return this.#extendedAt + this.#lifeMs / 2;
  }

  /** Whether it can be of no more use. */
  get isSpent(): boolean {
    return this.uses >= this.#settings.maxUses || Date.now() >= this.retiresAt;
  }

  /** Finds out whether it is fit for use, and gives it its whole life again. */
  async check(end: AbortSignal): Promise<boolean> {
    const at = Date.now();
    const [fit] = await this.#step(end, (call) =>
      Promise.all([this.#settings.check(this.sandbox, call), this.sandbox.setTimeout(this.#lifeMs, call)]),
    );
    this.#extendedAt = at;
    return fit;
  }

  async reset(end: AbortSignal): Promise<void> {
    await this.#step(end, async (call) => this.#settings.reset?.(this.sandbox, call));
  }

  async kill(): Promise<void> {
    await this.sandbox.kill({ requestTimeoutMs: killTimeoutMs });
  }

  /** Waits for a step for no longer than it may take, even when the step does not look at its signal. */
  async #step<T>(end: AbortSignal, step: (call: PoolCall) => Promise<T>): Promise<T> {
    const limitMs = timeLimit(this.#settings.stepTimeoutMs, 'stepTimeoutMs');
    // Not by `AbortSignal.any`: Node 20 keeps something of each for as long as `end` lives.
    const controller = new AbortController();
    const { signal } = controller;
    const onEnd = (): void => controller.abort(end.reason);
    const timer = limitMs > 0 ? setTimeout(() => controller.abort(stepTimeout(limitMs)), limitMs) : undefined;
    end.addEventListener('abort', onEnd);
    if (end.aborted) onEnd();
    try {
      return await abortable(step({ signal }), signal);
    } finally {
      clearTimeout(timer);
      end.removeEventListener('abort', onEnd);
    }
  }
}
