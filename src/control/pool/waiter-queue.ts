import { timeLimit } from '../../transport/call-options.js';

export interface WaitOptions {
  signal?: AbortSignal | undefined;
  /** In milliseconds; 0 waits for ever. */
  timeoutMs: number;
  /** What to reject with when the time is over. */
  timeout(): Error;
}

interface Waiter<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** Those who wait for something of which there is not enough: who came first is served first. */
export class WaiterQueue<T> {
  // A set keeps the order, and who gives up leaves it from anywhere.
  readonly #waiters = new Set<Waiter<T>>();

  get size(): number {
    return this.#waiters.size;
  }

  /** Waits for one's turn. @throws the signal's reason, or what `timeout` makes. */
  wait({ signal, timeoutMs, timeout }: WaitOptions): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const limitMs = timeLimit(timeoutMs, 'timeoutMs');
      const timer = limitMs > 0 ? setTimeout(() => waiter.reject(timeout()), limitMs) : undefined;
      const onAbort = (): void => waiter.reject(signal?.reason);
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter<T> = {
        resolve: (value) => {
          leave();
          resolve(value);
        },
        reject: (reason) => {
          leave();
          reject(reason);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Gives a value to whoever has waited longest. Somebody has to wait. */
  serve(value: T): void {
    const [first] = this.#waiters;
    first?.resolve(value);
  }

  rejectAll(reason: () => Error): void {
    for (const waiter of this.#waiters) waiter.reject(reason());
  }
}
