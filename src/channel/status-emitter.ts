import type { ChannelStatus } from './channel.js';
import { Listeners } from './listeners.js';

/** The status of a channel, and those who want to hear of its changes. `closed` is the last. */
export class StatusEmitter {
  #current: ChannelStatus = { state: 'open' };
  readonly #listeners = new Listeners<ChannelStatus>();

  get current(): ChannelStatus {
    return this.#current;
  }

  on(listener: (status: ChannelStatus) => void): () => void {
    return this.#listeners.on(listener);
  }

  set(status: ChannelStatus): void {
    if (this.#current.state === 'closed') return;
    this.#current = status;
    this.#listeners.tell(status);
    if (status.state === 'closed') this.#listeners.clear();
  }
}
