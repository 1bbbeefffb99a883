import type { ChannelStatus } from './channel.js';

/** The status of a channel, and those who want to hear of its changes. `closed` is the last. */
export class StatusEmitter {
  #current: ChannelStatus = { state: 'open' };
  readonly #listeners = new Set<(status: ChannelStatus) => void>();

  get current(): ChannelStatus {
    return this.#current;
  }

  on(listener: (status: ChannelStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  set(status: ChannelStatus): void {
    if (this.#current.state === 'closed') return;
    this.#current = status;
    for (const listener of [...this.#listeners]) tell(listener, status);
    if (status.state === 'closed') this.#listeners.clear();
  }
}

/** As with an event target, a listener that fails is reported to the runtime and stops nobody else. */
function tell(listener: (status: ChannelStatus) => void, status: ChannelStatus): void {
  try {
    listener(status);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
