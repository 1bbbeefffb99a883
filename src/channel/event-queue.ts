/** What waits for one reader. Leaving a loop keeps the rest for the next one. */
export class EventQueue<T> implements AsyncIterable<T> {
  #events: T[] = [];
  #end: { error?: Error } | undefined;
  #wake: (() => void) | undefined;

  /** Whether the reader has all. */
  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  push(event: T): void {
    if (this.#end) return;
    this.#events.push(event);
    this.#wake?.();
  }

  /** Nothing more comes. The reader gets what waits, and then the error, if there is one. */
  end(error?: Error): void {
    this.#end ??= error ? { error } : {};
    this.#wake?.();
  }

  /** Drops what waits. */
  clear(): void {
    this.#events = [];
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        yield event;
      } else if (this.#end) {
        if (this.#end.error) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
