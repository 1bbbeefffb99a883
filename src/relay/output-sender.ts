/** The output of a terminal on its way to one socket: how far it was sent and taken in, and what may be sent now. */

import type { PtySize } from '../channel/channel.js';
import { FrameType, frameWithRoom, maxPayloadBytes, protocolError } from '../wire/pty-frame.js';
import { encodeJson, type Gap } from '../wire/pty-messages.js';
import type { History } from './history.js';

export class OutputSender {
  /** Sends a message; false once the socket is closed. */
  readonly #send: (message: Uint8Array) => boolean;
  readonly #window: number;
  #sent = 0;
  #acked = 0;
  #lastMark = 0;

  constructor(window: number, send: (message: Uint8Array) => boolean) {
    this.#window = window;
    this.#send = send;
  }

  /** The offset up to which output was sent. */
  get sent(): number {
    return this.#sent;
  }

  /** The offset up to which output was acknowledged. */
  get acked(): number {
    return this.#acked;
  }

  /** Where the output goes on, and below which offset it was taken in before. */
  start(from: number, acked: number): void {
    this.#sent = from;
    this.#acked = Math.min(Math.max(acked, from - this.#window), from);
  }

  /** @throws {SandboxError} code `protocol_error` for what was not sent. */
  ack(offset: number): void {
    if (offset > this.#sent) throw protocolError('output was acknowledged that was not sent');
    this.#acked = Math.max(this.#acked, offset);
  }

  /** Sends of the history what the window allows. Whether a gap had to be declared. */
  pump(history: History): boolean {
    let declared = false;
    // A gap, too, needs room: it sets the window anew, and one who never acknowledges would be sent everything.
    while (this.#sent < this.#acked + this.#window) {
      if (this.#sent < history.tail) {
        const to = history.lineStart();
        this.#declare({ from: this.#sent, to, reason: 'older output is no longer kept' }, to);
        declared = true;
        const size = history.sizeAt(to);
        if (size) this.#sendSize(size);
      }
      const mark = history.nextMark(this.#sent, this.#lastMark);
      if (mark?.at === this.#sent) {
        this.#lastMark = mark.id;
        if ('size' in mark) {
          if (!this.#sendSize(mark.size)) break;
        } else {
          this.#declare({ from: mark.at, to: null, reason: mark.reason }, mark.at);
          declared = true;
        }
        continue;
      }
      const end = Math.min(history.head, this.#acked + this.#window, mark?.at ?? history.head);
      const length = Math.min(end - this.#sent, maxPayloadBytes);
      if (length <= 0) break;
      const { message, room } = frameWithRoom(FrameType.out, this.#sent, length);
      history.copy(this.#sent, room);
      if (!this.#send(message)) break;
      this.#sent += length;
    }
    return declared;
  }

  /** Declares output to be missing. */
  gap(gap: Gap): void {
    this.#send(encodeJson(FrameType.gap, this.#sent, gap));
  }

  #declare(gap: Gap, next: number): void {
    this.#sent = next;
    // What was sent before the gap may never be acknowledged, and must not hold back what follows.
    this.#acked = Math.max(this.#acked, next);
    this.gap(gap);
  }

  #sendSize(size: PtySize): boolean {
    return this.#send(encodeJson(FrameType.size, this.#sent, size));
  }
}
