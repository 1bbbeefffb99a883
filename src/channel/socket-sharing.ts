/** The client's side of who writes at a terminal that several windows are at, and in which size. */

import { ConnectionError, PermissionDeniedError } from '../errors.js';
import { type Frame, FrameType } from '../wire/pty-frame.js';
import { encodeJson, type Mode, parseMode } from '../wire/pty-messages.js';
import type { ChannelMode, ChannelSharing, PtySize } from './channel.js';
import { Listeners } from './listeners.js';

export interface SocketSharingOptions {
  mode: ChannelMode | undefined;
  size: PtySize;
  /** Sends a frame, where the link is up. */
  send: (message: Uint8Array) => void;
  /** The relay has spoken: called before anybody hears of it. */
  onMode: () => void;
}

interface Waiting {
  resolve: () => void;
  reject: (error: unknown) => void;
}

export class SocketSharing implements ChannelSharing {
  readonly #options: SocketSharingOptions;
  readonly #listeners = new Listeners<ChannelMode>();
  #mode: ChannelMode;
  #wish: ChannelMode;
  #reason: string | undefined;
  #size: PtySize;
  #sizeNumber = 0;
  #waiting: Waiting[] = [];
  #ended: { error: unknown } | undefined;

  constructor(options: SocketSharingOptions) {
    const { mode = 'write', size } = options;
    this.#options = options;
    this.#mode = mode;
    this.#wish = mode;
    this.#size = size;
  }

  get mode(): ChannelMode {
    return this.#mode;
  }

  get mayWrite(): boolean {
    return this.#reason !== 'read_only';
  }

  /** What a HELLO asks for: one who was taken over comes back as a viewer. */
  get wish(): ChannelMode {
    return this.#wish;
  }

  /** Why input is not sent. */
  get refusal(): string | undefined {
    if (this.#mode === 'write') return undefined;
    return this.mayWrite
      ? 'another window writes, and this one watches'
      : 'this session may only watch the terminal';
  }

  onMode(listener: (mode: ChannelMode) => void): () => void {
    return this.#listeners.on(listener);
  }

  takeOver(): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended.error);
    if (this.#mode === 'write') return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#ask();
    });
  }

  /** The size that is wished for here. */
  get size(): PtySize {
    return this.#size;
  }

  /** Wishes for a size; a viewer's is kept for when it takes over. */
  resize(size: PtySize): void {
    this.#size = { ...size };
    if (this.#mode === 'write') this.#sendSize();
  }

  /** Takes a MODE. */
  take({ payload }: Frame): void {
    this.set(parseMode(payload));
    if (this.#mode === 'write') this.#sendSize();
  }

  /** The relay's word, by a WELCOME or a MODE. */
  set({ mode, reason }: Mode): void {
    const before = [this.#mode, this.mayWrite];
    this.#mode = mode;
    this.#reason = reason;
    this.#options.onMode();
    if (mode === 'write') {
      this.#wish = 'write';
      this.#settle(({ resolve }) => resolve());
    } else if (reason === 'taken_over') {
      this.#wish = 'read';
    } else if (!this.mayWrite) {
      this.#settle(({ reject }) => reject(readOnly()));
    }
    if (before[0] !== mode || before[1] !== this.mayWrite) this.#listeners.tell(mode);
  }

  /** The relay has been reached again, and has to be asked for what is still wished for. */
  resume(): void {
    if (this.#waiting.length > 0) this.#ask();
  }

  end(error: unknown = new ConnectionError('The terminal was closed.', { code: 'closed' })): void {
    this.#ended = { error };
    this.#settle(({ reject }) => reject(error));
    this.#listeners.clear();
  }

  #ask(): void {
    this.#options.send(encodeJson(FrameType.mode, 0, { mode: 'write' }));
  }

  #sendSize(): void {
    this.#sizeNumber++;
    this.#options.send(encodeJson(FrameType.resize, this.#sizeNumber, this.#size));
  }

  #settle(how: (waiting: Waiting) => void): void {
    for (const waiting of this.#waiting.splice(0)) how(waiting);
  }
}

function readOnly(): PermissionDeniedError {
  return new PermissionDeniedError('This session may only watch the terminal.', { code: 'read_only' });
}
