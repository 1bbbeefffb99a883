/** How far a terminal is read ahead of those who watch it. */

export interface ReadGateOptions {
  ringBytes: number;
  readAheadBytes: number;
  graceMs: number;
}

/** No more than this comes in one piece from a channel; room for it is left. */
const pieceBytes = 32 * 1024;

/**
 * With a writer attached, at most the read-ahead past its acknowledgement is read. Without one the ring fills with
 * what it has not acknowledged; a full ring holds the terminal back until the grace time is over.
 */
export class ReadGate {
  readonly #options: ReadGateOptions;
  #acked = 0;
  #attached = false;
  #graceOver = false;
  #closed = false;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #wake: (() => void) | undefined;

  /** @param from the offset at which reading begins. */
  constructor(options: ReadGateOptions, from = 0) {
    this.#options = options;
    this.#acked = from;
    this.#startGrace();
  }

  /** Resolves when there is room beyond the head; with false when the gate was closed. */
  async open(head: number): Promise<boolean> {
    while (!this.#closed && !this.#hasRoom(head)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return !this.#closed;
  }

  /** Whether nobody has taken in what is about to be overwritten, and that for longer than the grace time: where it is
   * kept in the sandbox, whoever comes back has it read again. */
  isOverrun(head: number): boolean {
    return !this.#attached && this.#graceOver && head - this.#acked > this.#most;
  }

  /** A writer came. */
  attach(acked: number): void {
    clearTimeout(this.#grace);
    this.#attached = true;
    this.acked(acked);
  }

  acked(offset: number): void {
    this.#acked = offset;
    this.#wake?.();
  }

  /** The writer left. */
  detach(): void {
    this.#attached = false;
    this.#startGrace();
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#grace);
    this.#wake?.();
  }

  #startGrace(): void {
    if (this.#closed) return;
    this.#graceOver = false;
    this.#grace = setTimeout(() => {
      this.#graceOver = true;
      this.#wake?.();
    }, this.#options.graceMs);
  }

  #hasRoom(head: number): boolean {
    return (!this.#attached && this.#graceOver) || head - this.#acked <= this.#most;
  }

  get #most(): number {
    const { readAheadBytes, ringBytes } = this.#options;
    return Math.max((this.#attached ? readAheadBytes : ringBytes) - pieceBytes, 0);
  }
}
