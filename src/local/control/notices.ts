/** Tells what a user should know, each thing once a server. */
export class Notices {
  readonly #warn: (message: string) => void;
  readonly #told = new Set<string>();

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** Says it every time. */
  warn(message: string): void {
    this.#warn(message);
  }

  once(message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#warn(message);
  }
}
