import { Code, ConnectError } from '@connectrpc/connect';
import type { FilesystemEvent } from '../../../../wire/gen/filesystem/filesystem_pb.js';

/** Events that may wait for whoever watches. More only fit into memory that a sandbox does not have. */
export const maxWaiting: number = 1 << 16;

/** What a watcher has found and nobody has taken yet: bounded, because not everybody who watches also reads. */
export class EventQueue {
  #events: FilesystemEvent[] = [];
  #failure: ConnectError | undefined;
  #wake: (() => void) | undefined;

  push(event: FilesystemEvent): void {
    if (this.#failure) return;
    this.#events.push(event);
    if (this.#events.length > maxWaiting) this.fail(`more than ${maxWaiting} events were not read`);
    this.#wake?.();
  }

  /** From now on only this error is given, as a real envd does. */
  fail(reason: string): void {
    this.#failure ??= new ConnectError(`watcher error: ${reason}`, Code.Internal);
    this.#events = [];
    this.#wake?.();
  }

  /** Everything that has come since. Throws once the watcher has failed. */
  drain(): FilesystemEvent[] {
    if (this.#failure) throw this.#failure;
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /**
   * The same, as soon as there is something; nothing when nothing came for so long. Rejects with the signal's
   * reason once that is aborted. One call at a time.
   */
  async next(signal: AbortSignal, silenceMs: number): Promise<FilesystemEvent[]> {
    signal.throwIfAborted();
    if (this.#events.length === 0 && !this.#failure) await this.#silence(signal, silenceMs);
    signal.throwIfAborted();
    return this.drain();
  }

  async #silence(signal: AbortSignal, ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', settle);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(settle, ms);
      signal.addEventListener('abort', settle, { once: true });
      this.#wake = settle;
    });
  }
}
