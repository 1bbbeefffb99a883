/// <reference lib="esnext.disposable" preserve="true" />

import { maxTimerMs, timeLimit } from '../../transport/call-options.js';
import { abortSignal, callback, check, checkOptions, milliseconds } from '../../transport/check-options.js';
import { asyncDispose } from '../../wire/async-dispose.js';
import { holdProgram } from './hold-program.js';
import { poolClosed, poolCreateFailed, poolTimeout } from './pool-errors.js';
import { type PoolLease, poolLease } from './pool-lease.js';
import { killTimeoutMs, PoolMember } from './pool-member.js';
import type { PoolableSandbox, PoolSettings, PoolStep } from './pool-options.js';
import { StartBackoff } from './start-backoff.js';
import { untilUpkeep, upkeep } from './upkeep.js';
import { WaiterQueue } from './waiter-queue.js';

export interface AcquireOptions {
  /** Ends the wait; `acquire` rejects with the signal's reason. */
  signal?: AbortSignal;
  /** In milliseconds; 0 waits for ever. Default: the pool's `acquireTimeoutMs`. */
  timeoutMs?: number;
}

export interface DrainOptions {
  /** How long to wait for the sandboxes in use, in milliseconds, before they are killed too. Default 30 000; 0: at once. */
  timeoutMs?: number;
}

/** How many sandboxes of a pool are where. */
export interface PoolStats {
  /** Ready to be handed out. */
  idle: number;
  leased: number;
  /** Being created. */
  starting: number;
  /** Being checked, reset or killed. */
  busy: number;
  /** All of these together; never more than `max`. */
  size: number;
  /** Callers of `acquire` that wait for one. */
  waiting: number;
}

/** Sandboxes that are ready before they are asked for, and no more of them than `max`. See `createSandboxPool`. */
export class SandboxPool<S extends PoolableSandbox> implements AsyncDisposable {
  /** Drains the pool at the end of an `await using` block. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  readonly #settings: PoolSettings<S>;
  readonly #members = new Set<PoolMember<S>>();
  readonly #waiters = new WaiterQueue<PoolLease<S>>();
  readonly #starts: StartBackoff;
  /** Aborted when nothing is waited for any more. */
  readonly #end = new AbortController();
  #starting = 0;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onChange = new Set<() => void>();
  readonly #onAbort = (): void => void this.close();

  /** Use `createSandboxPool`. @internal */
  constructor(settings: PoolSettings<S>) {
    this[asyncDispose] = () => this.drain();
    this.#settings = settings;
    this.#starts = new StartBackoff(settings.maxFailures, () => this.#balance());
    const { signal } = settings;
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#onAbort();
    this.#balance();
  }

  get stats(): PoolStats {
    const [idle, leased, size] = [this.#idle().length, this.#count('leased'), this.#size];
    const starting = this.#starting;
    return {
      idle,
      leased,
      starting,
      busy: size - idle - leased - starting,
      size,
      waiting: this.#waiters.size,
    };
  }

  /**
   * Waits for a sandbox. Who came first is served first.
   * @throws {TimeoutError} code `pool_timeout`: none was free in time.
   * @throws {SandboxError} code `pool_create_failed`: none can be created, `cause` says why. Code `pool_closed`.
   */
  async acquire(options: AcquireOptions = {}): Promise<PoolLease<S>> {
    checkOptions('acquire', options, { signal: abortSignal, timeoutMs: milliseconds });
    if (this.#closed) throw poolClosed();
    const { signal, timeoutMs = this.#settings.acquireTimeoutMs } = options;
    const timeout = (): Error =>
      poolTimeout(timeoutMs, this.stats.leased, this.#settings.max, this.#starts.cause);
    const lease = this.#waiters.wait({ signal, timeoutMs, timeout });
    this.#starts.awaited();
    this.#balance();
    return lease;
  }

  /**
   * Runs a function with a sandbox of the pool. When it throws, the sandbox is killed: who knows what it left there.
   * @throws as `acquire` does, and what the function throws.
   */
  async use<T>(work: (sandbox: S) => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    check('use: work', work, callback);
    const lease = await this.acquire(options);
    try {
      const result = await work(lease.sandbox);
      await lease.release();
      return result;
    } catch (error) {
      await lease.discard();
      throw error;
    }
  }

  /**
   * Ends the pool: nothing is handed out any more, those who wait are refused (`pool_closed`), and each sandbox is killed
   * when it is given back, or when the time is over. Resolves when none is left, or 30 s after the time.
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    checkOptions('drain', options, { timeoutMs: milliseconds });
    const { timeoutMs = 30_000 } = options;
    this.#closed = true;
    this.#settings.signal?.removeEventListener('abort', this.#onAbort);
    this.#starts.stop();
    clearTimeout(this.#timer);
    this.#waiters.rejectAll(poolClosed);
    for (const member of this.#idle()) void this.#kill(member);
    const ended = (): boolean => this.#size === 0 || this.#end.signal.aborted;
    if (timeoutMs > 0) await this.#until(ended, timeoutMs);
    this.#end.abort(poolClosed());
    for (const member of this.#members) if (member.phase === 'leased') void this.#kill(member);
    // A `create` that does not look at its signal may take longer; whenever it ends, its sandbox is killed.
    await this.#until(() => this.#size === 0, killTimeoutMs);
  }

  /** Ends the pool at once: also the sandboxes in use are killed. */
  close(): Promise<void> {
    return this.drain({ timeoutMs: 0 });
  }

  get #size(): number {
    return this.#members.size + this.#starting;
  }

  #idle(): PoolMember<S>[] {
    return [...this.#members].filter(({ phase }) => phase === 'idle');
  }

  #count(phase: PoolMember<S>['phase']): number {
    return [...this.#members].filter((member) => member.phase === phase).length;
  }

  /** Brings what there is nearer to what is wanted; to be called after every change. */
  #balance(): void {
    if (!this.#closed) {
      const { min, max } = this.#settings;
      // The youngest first, so that those who are not needed grow old.
      const unserved = this.#waiters.size - this.#count('checked');
      if (unserved > 0) for (const member of this.#idle().slice(-unserved)) void this.#check(member);
      const supply = this.#idle().length + this.#count('checked') + this.#starting;
      const missing = Math.min(this.#waiters.size + min - supply, max - this.#size);
      const allowed = Math.min(missing, this.#starts.limit - this.#starting);
      for (let started = 0; started < allowed; started++) void this.#start();
      this.#planSweep();
    }
    for (const look of this.#onChange) look();
  }

  async #start(): Promise<void> {
    this.#starting++;
    const call = { signal: this.#end.signal };
    const member = await PoolMember.start(this.#settings, call).catch((error) => this.#startFailed(error));
    this.#starting--;
    if (member) {
      this.#members.add(member);
      this.#starts.succeeded();
      this.#offer(member);
    }
    this.#balance();
  }

  #startFailed(error: unknown): void {
    if (this.#closed) return;
    this.#report(error, 'create');
    this.#starts.failed(error);
    if (this.#starts.isHopeless) this.#waiters.rejectAll(() => poolCreateFailed(error));
  }

  /** What is fit for use goes to whoever has waited longest. */
  #offer(member: PoolMember<S>): void {
    if (this.#closed) void this.#kill(member);
    else if (this.#waiters.size > 0) this.#waiters.serve(this.#lease(member));
    else member.phase = 'idle';
  }

  #lease(member: PoolMember<S>): PoolLease<S> {
    member.phase = 'leased';
    member.uses++;
    return poolLease(member.sandbox, (discard) => this.#takeBack(member, discard));
  }

  async #takeBack(member: PoolMember<S>, discard: boolean): Promise<void> {
    // When the pool has been closed, it is killed already.
    if (member.phase !== 'leased') return;
    if (discard || this.#closed || member.isSpent) return this.#kill(member);
    member.phase = 'reset';
    try {
      await member.reset(this.#end.signal);
    } catch (error) {
      this.#report(error, 'reset');
      return this.#kill(member);
    }
    member.restsSince = Date.now();
    await this.#check(member);
  }

  async #check(member: PoolMember<S>): Promise<void> {
    member.phase = 'checked';
    let fit = false;
    try {
      fit = !member.isSpent && (await member.check(this.#end.signal));
    } catch (error) {
      this.#report(error, 'check');
    }
    if (!fit) return this.#kill(member);
    this.#offer(member);
    this.#balance();
  }

  async #kill(member: PoolMember<S>): Promise<void> {
    member.phase = 'killed';
    // Not at once: this is also called while the members are being gone through.
    queueMicrotask(() => this.#balance());
    try {
      await member.kill();
    } catch (error) {
      this.#report(error, 'kill');
    }
    this.#members.delete(member);
    this.#balance();
  }

  #sweep(): void {
    const due = upkeep(this.#idle(), this.#settings);
    for (const member of due.kill) void this.#kill(member);
    for (const member of due.check) void this.#check(member);
    this.#balance();
  }

  #planSweep(): void {
    clearTimeout(this.#timer);
    const waitMs = untilUpkeep(this.#idle(), this.#settings);
    if (waitMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#sweep(), Math.min(waitMs, maxTimerMs));
    holdProgram(this.#timer, false);
  }

  /** Waits until something holds, or for so long. */
  #until(holds: () => boolean, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const limitMs = timeLimit(timeoutMs, 'timeoutMs');
      const done = (): void => {
        clearTimeout(timer);
        this.#onChange.delete(look);
        resolve();
      };
      const look = (): void => {
        if (holds()) done();
      };
      const timer = limitMs > 0 ? setTimeout(done, limitMs) : undefined;
      this.#onChange.add(look);
      look();
    });
  }

  #report(error: unknown, step: PoolStep): void {
    // An error of the listener must not stop the pool; this way it is uncaught, where it can be seen.
    queueMicrotask(() => this.#settings.onError?.(error, step));
  }
}
