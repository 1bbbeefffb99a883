import type { RelayAccess } from './relay-api.js';

/** Keeps a sandbox alive while somebody is at a terminal of it, by the access of one who may. */
export class SandboxKeeper {
  readonly #present: () => RelayAccess[];
  readonly #onFailure: (access: RelayAccess) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param present the access of everybody who is there. */
  constructor(present: () => RelayAccess[], onFailure: (access: RelayAccess) => void) {
    this.#present = present;
    this.#onFailure = onFailure;
  }

  /** Extends at once, and then as often as is needed. */
  start(): void {
    if (this.#timer === undefined) this.#keep();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #keep(): void {
    const access = this.#present().find(({ keepAlive }) => keepAlive);
    this.#timer = setTimeout(() => this.#keep(), access?.keepAliveMs ?? 60_000);
    access?.keepAlive?.().catch(() => this.#onFailure(access));
  }
}
