/** A socket that was accepted and is not attached to a terminal yet. */

import { SandboxError } from '../errors.js';
import { PtyClose } from '../wire/pty-close.js';
import { decodeFrame, FrameType, protocolError } from '../wire/pty-frame.js';
import { encodeJson, type Hello, parseHello } from '../wire/pty-messages.js';
import type { RelaySocket } from './relay-api.js';
import { closingFor } from './relay-error.js';

export class Visitor {
  readonly socket: RelaySocket;
  #open = true;
  #greeted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopWaiting: (error: Error) => void = () => {};

  constructor(socket: RelaySocket) {
    this.socket = socket;
    socket.onClose = () => this.#end();
    socket.onMessage = () => this.refuse(protocolError('a message came before it was awaited'));
  }

  /** Whether the socket may still be attached. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether it has said HELLO. */
  get hasGreeted(): boolean {
    return this.#greeted;
  }

  /** The HELLO. Rejects when something else comes, when nothing comes in time, or when the socket closes. */
  async hello(timeoutMs: number): Promise<Hello> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = reject;
      this.#timer = setTimeout(() => this.#silent(), timeoutMs);
      this.socket.onMessage = (message) => {
        try {
          resolve(this.#take(message));
        } catch (error) {
          this.refuse(error);
        }
      };
    });
  }

  /** Closes, and tells why. */
  refuse(error: unknown): void {
    if (!this.#open) return;
    const { closeCode, refusal } = closingFor(error);
    this.socket.send(encodeJson(FrameType.error, 0, refusal));
    this.close(closeCode);
  }

  close(code: number): void {
    if (!this.#open) return;
    this.#end();
    this.socket.close(code, '');
  }

  /** The socket has another owner now. */
  release(): void {
    this.#open = false;
    clearTimeout(this.#timer);
  }

  #take(message: Uint8Array | string): Hello {
    const { type, payload } = decodeFrame(message);
    if (this.#greeted || type !== FrameType.hello) throw protocolError('one HELLO comes first, and alone');
    this.#greeted = true;
    clearTimeout(this.#timer);
    return parseHello(payload);
  }

  #silent(): void {
    this.close(PtyClose.silent);
  }

  #end(): void {
    this.release();
    this.#stopWaiting(new SandboxError('The socket was closed before its HELLO.', { code: 'closed' }));
  }
}
