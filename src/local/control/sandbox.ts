import type { Machine } from '../machine/machine.js';
import type { CreateRequest } from './create-request.js';

/** A running sandbox. */
export class Sandbox {
  readonly id: string;
  readonly templateId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly allowInternetAccess: boolean;
  /** Who has this may do everything in the sandbox. */
  readonly envdAccessToken: string;
  readonly machine: Machine;
  /** Milliseconds since the epoch, as is `endAt`. */
  readonly startedAt: number = Date.now();
  readonly #onEnd: () => void;
  #endAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onEnd` is called at the end time. */
  constructor(id: string, token: string, request: CreateRequest, machine: Machine, onEnd: () => void) {
    this.id = id;
    this.envdAccessToken = token;
    this.templateId = request.templateId;
    this.metadata = request.metadata;
    this.allowInternetAccess = request.allowInternetAccess;
    this.machine = machine;
    this.#onEnd = onEnd;
    this.endIn(request.timeoutSeconds);
  }

  get endAt(): number {
    return this.#endAt;
  }

  /** Ends the sandbox that many seconds from now, sooner or later than before. */
  endIn(seconds: number): void {
    clearTimeout(this.#timer);
    this.#endAt = Date.now() + seconds * 1000;
    this.#timer = setTimeout(this.#onEnd, seconds * 1000);
  }

  /** Lets the sandbox live at least that many seconds from now. */
  extendTo(seconds: number): void {
    if (Date.now() + seconds * 1000 > this.#endAt) this.endIn(seconds);
  }

  /** Ends everything that runs in it. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.machine.close();
  }
}
