/// <reference lib="esnext.disposable" preserve="true" />

import { InvalidArgumentError, isE2BEdgeError } from '../errors.js';
import { connectionLost } from '../transport/http-error.js';
import { mayHeal, reconnect } from '../transport/reconnect.js';
import { asyncDispose } from '../wire/async-dispose.js';
import { decodeFilesystemEvent, type FilesystemEvent } from '../wire/filesystem-event.js';
import { type WatchOpener, type WatchStream, watchError } from './watch-dir.js';
import type { WatchEvent, WatchGap, WatchOptions } from './watch-options.js';

/** Whom events are for, where no loop reads them. */
export type WatchListener = (event: FilesystemEvent) => void | Promise<void>;

const defaultReconnectMs = 60_000;

/**
 * A watch on a directory. It has one reader: the callback that it was made with, or one loop.
 *
 * ```ts
 * await using watch = await sandbox.files.watchDir('.', { recursive: true })
 * await sandbox.files.write('notes.txt', 'text')
 * for await (const event of watch) if (event.type === 'write') break
 * ```
 *
 * Nothing piles up here: while the reader is slow, events wait in the sandbox. Where they become too many for it, and
 * where the connection is lost, the watch begins anew by itself, and a loop sees an event of the type `gap` in their
 * place; a callback has `onGap` for it, and without that the watch ends with the error. Leaving the loop stops the watch.
 */
export class WatchHandle implements AsyncIterable<WatchEvent> {
  /** Stops the watch at the end of an `await using` block. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  readonly #open: WatchOpener;
  readonly #options: WatchOptions;
  readonly #closing = new AbortController();
  readonly #onAbort = (): void => this.#closing.abort(this.#options.signal?.reason);
  #stream: WatchStream | undefined;
  #isRead = false;
  /** Whether anybody would hear of a gap. */
  #hearsGaps = true;
  #isStopped = false;
  #hasExited = false;

  /** @internal */
  constructor(open: WatchOpener, options: WatchOptions) {
    this.#open = open;
    this.#options = options;
    this[asyncDispose] = () => this.stop();
  }

  /**
   * Opens the watch. What happens from when this resolves on is seen.
   * @internal
   */
  async start(listener?: WatchListener): Promise<this> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    // Here, because the stream that the signal was given to may have been replaced.
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    try {
      this.#stream = await this.#open(this.#closing.signal);
    } catch (error) {
      this.#close();
      throw error;
    }
    if (listener) {
      this.#isRead = true;
      this.#hearsGaps = this.#options.onGap !== undefined;
      void this.#deliver(listener);
    }
    return this;
  }

  /** Stops the watch. A loop ends; events that nobody has taken are dropped. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#close();
    // A reader hears of it by itself.
    if (!this.#isRead) await this.#exit();
  }

  /** @throws {InvalidArgumentError} the watch has its reader. */
  [Symbol.asyncIterator](): AsyncGenerator<WatchEvent, void, undefined> {
    if (this.#isRead) {
      throw new InvalidArgumentError(
        'This watch has its one reader: its onEvent, or another loop. Watch the directory once more for a second one.',
      );
    }
    this.#isRead = true;
    return this.#loop();
  }

  async #deliver(listener: WatchListener): Promise<void> {
    let failure: unknown;
    try {
      for await (const event of this.#read()) if (event.type !== 'gap') await listener(event);
    } catch (error) {
      failure = error;
    }
    await this.#exit(failure);
  }

  async *#loop(): AsyncGenerator<WatchEvent, void, undefined> {
    let failure: unknown;
    try {
      yield* this.#read();
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      await this.#exit(failure);
    }
  }

  async *#read(): AsyncGenerator<WatchEvent, void, undefined> {
    try {
      while (this.#stream && !this.#isStopped) {
        const lost = yield* this.#listen(this.#stream);
        if (this.#isStopped) return;
        this.#stream = await this.#comeBack(lost);
        const gap: WatchGap = { type: 'gap', reason: lost.message };
        await this.#options.onGap?.(gap);
        yield gap;
      }
    } catch (error) {
      if (!this.#isStopped) throw error;
    }
  }

  /** Hands on what a stream tells, and returns what it was lost by. */
  async *#listen(stream: WatchStream): AsyncGenerator<FilesystemEvent, Error, undefined> {
    try {
      for await (const { event } of stream.rest) {
        const told = event.case === 'filesystem' ? decodeFilesystemEvent(event.value) : undefined;
        if (told) yield told;
      }
      return connectionLost(undefined);
    } catch (error) {
      // `internal` is what envd says when more happened than it can keep.
      if (this.#isStopped || mayHeal(error) || isE2BEdgeError(error, 'internal')) return error as Error;
      throw watchError(error);
    }
  }

  async #comeBack(cause: Error): Promise<WatchStream> {
    const { signal } = this.#closing;
    const { reconnectMs = this.#hearsGaps ? defaultReconnectMs : 0 } = this.#options;
    return reconnect(() => this.#open(signal), cause, { maxMs: reconnectMs, signal });
  }

  #close(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#stream?.cancel();
    this.#closing.abort(new Error('the watch is stopped'));
  }

  /** Once, whoever comes first. */
  async #exit(failure?: unknown): Promise<void> {
    this.#isStopped = true;
    this.#close();
    if (this.#hasExited) return;
    this.#hasExited = true;
    try {
      await this.#options.onExit?.(...(failure === undefined ? [] : [failure as Error]));
    } catch {
      // The watch is over: there is nobody left to tell, as in the official SDK.
    }
  }
}
