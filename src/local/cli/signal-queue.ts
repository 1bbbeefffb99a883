/** What ends a command from outside: Ctrl-C, `kill`, and the end of its terminal. */
const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The signals that this process gets, for whoever takes them. One that comes earlier waits: to end at once would leave
 * behind a sandbox that is just being created. A second one that nobody takes ends the process nevertheless.
 */
export class SignalQueue {
  readonly #waiting: NodeJS.Signals[] = [];
  #take: ((signal: NodeJS.Signals) => void) | undefined;

  constructor() {
    for (const name of names) process.on(name, this.#receive);
  }

  /** Hands over those that wait, and all that follow. */
  passTo(take: (signal: NodeJS.Signals) => void): void {
    this.#take = take;
    for (const signal of this.#waiting.splice(0)) take(signal);
  }

  /** Gives the signals back their own meaning. */
  close(): void {
    for (const name of names) process.off(name, this.#receive);
  }

  readonly #receive = (signal: NodeJS.Signals): void => {
    if (this.#take) {
      this.#take(signal);
    } else if (this.#waiting.push(signal) > 1) {
      this.close();
      process.kill(process.pid, signal);
    }
  };
}
