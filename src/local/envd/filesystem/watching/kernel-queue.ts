import { readFileSync } from 'node:fs';

const usualCapacity = 16_384;

/**
 * Watches over the kernel's queue of events, of which there is one for the whole process. When that is full the
 * kernel drops what comes, and Node does not say so. But all that was queued is then delivered in one turn of the
 * event loop, and is counted here.
 */
export class KernelQueue {
  readonly #limit: number;
  readonly #listeners = new Set<() => void>();
  #count = 0;

  /** `capacity` is how many events the kernel keeps. */
  constructor(capacity: number = capacityOfKernel()) {
    // Events of watches that were closed meanwhile are not delivered, hence not all of it.
    this.#limit = capacity / 2;
  }

  /** Calls back when events may have been lost. Returns what ends that. */
  onOverflow(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One event was delivered. */
  count(): void {
    if (this.#count === 0) setImmediate(() => this.#turn());
    this.#count++;
  }

  #turn(): void {
    const lost = this.#count >= this.#limit;
    this.#count = 0;
    if (lost) for (const listener of this.#listeners) listener();
  }
}

function capacityOfKernel(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || usualCapacity;
  } catch {
    return usualCapacity;
  }
}
