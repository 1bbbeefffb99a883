/** How a side of the terminal protocol notices that the other one is gone though no close came. */
export interface HeartbeatOptions {
  /** Sends a PING. */
  ping: () => void;
  /** Called once, when nothing came back in time; the heartbeat has stopped then. */
  dead: () => void;
  /** Between two PINGs, in milliseconds. Default 15 000. */
  intervalMs?: number | undefined;
  /** How long a PING may go without any answer, in milliseconds. Default 10 000. */
  timeoutMs?: number | undefined;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #interval: ReturnType<typeof setInterval> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#interval = setInterval(() => this.probe(), this.#options.intervalMs ?? 15_000);
  }

  /** Asks at once: after a change of network, or when a page was asleep. */
  probe(): void {
    if (this.#interval === undefined || this.#deadline !== undefined) return;
    this.#options.ping();
    this.#deadline = setTimeout(() => {
      this.stop();
      this.#options.dead();
    }, this.#options.timeoutMs ?? 10_000);
  }

  /** Anything from the other side is a sign of life, not only PONG. */
  heard(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  stop(): void {
    clearInterval(this.#interval);
    this.#interval = undefined;
    this.heard();
  }
}
