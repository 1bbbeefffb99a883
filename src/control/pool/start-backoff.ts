import {
  AuthenticationError,
  InvalidArgumentError,
  isE2BEdgeError,
  NotFoundError,
  TemplateError,
} from '../../errors.js';
import { type Backoff, createBackoff } from '../../transport/backoff.js';
import { holdProgram } from './hold-program.js';

/** The least that is waited after a failure, in milliseconds: jitter alone could make it nothing. */
const leastWaitMs = 100;

/** Errors that the next attempt would meet again. */
const lasting = [AuthenticationError, InvalidArgumentError, NotFoundError, TemplateError];

/** Decides when a sandbox may be started again after a start has failed. */
export class StartBackoff {
  /** The last failure, unless a start has succeeded since. */
  cause: unknown;
  readonly #maxFailures: number;
  readonly #backoff: Backoff = createBackoff({ firstMs: 1_000, maxMs: 30_000 });
  readonly #onReady: () => void;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onReady called when a wait is over. */
  constructor(maxFailures: number, onReady: () => void) {
    this.#maxFailures = maxFailures;
    this.#onReady = onReady;
  }

  /** How many starts may be under way at a time: after a failure one, to see whether it works again. */
  get limit(): number {
    if (this.#timer !== undefined) return 0;
    return this.#failures > 0 ? 1 : Number.POSITIVE_INFINITY;
  }

  /** Whether those who wait are to be told rather than kept waiting. */
  get isHopeless(): boolean {
    return this.#failures >= this.#maxFailures || lasting.some((kind) => this.cause instanceof kind);
  }

  succeeded(): void {
    this.cause = undefined;
    this.#failures = 0;
    this.#backoff.reset();
    this.stop();
  }

  failed(cause: unknown): void {
    this.cause = cause;
    // Starts that were under way together fail together: that is one failure.
    if (this.#timer !== undefined) return;
    this.#failures++;
    const asked = (isE2BEdgeError(cause) && cause.retryAfterMs) || 0;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#onReady();
      },
      Math.max(leastWaitMs, this.#backoff.next(), asked),
    );
    holdProgram(this.#timer, false);
  }

  /** Somebody waits for a sandbox, so the program must not end before the next attempt. */
  awaited(): void {
    holdProgram(this.#timer, true);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
