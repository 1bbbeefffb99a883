/** Output as it comes from the relay: no byte twice, none missing without a word. */

import { type Frame, FrameType, protocolError } from '../wire/pty-frame.js';
import { parseExit, parseGap, parseSizeInForce, type Welcome } from '../wire/pty-messages.js';
import type { ChannelEvent, PtySize } from './channel.js';
import { EventQueue } from './event-queue.js';

const ackEveryBytes = 64 * 1024;

export class SocketOutput {
  readonly events: EventQueue<ChannelEvent> = new EventQueue<ChannelEvent>();
  readonly #sendAck: (offset: number) => void;
  #epoch: string | undefined;
  #size: PtySize;
  #received = 0;
  #acked = 0;
  #ackSent = 0;
  /** A WELCOME spoke of a later place than ours, or of another epoch: nothing may follow but the gap between. */
  #gapDue = false;

  /** @param size what the reader takes the terminal to have. */
  constructor(size: PtySize, sendAck: (offset: number) => void) {
    this.#size = size;
    this.#sendAck = sendAck;
  }

  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** Output below it was received. */
  get received(): number {
    return this.#received;
  }

  /** Output below it was taken in by the reader. */
  get acked(): number {
    return this.#acked;
  }

  welcome({ epoch, from, size }: Welcome): void {
    const other = this.#epoch !== undefined && epoch !== this.#epoch;
    this.#gapDue = other || from > this.#received;
    this.#epoch = epoch;
    this.#ackSent = this.#acked;
    this.#setSize(size, from);
  }

  /**
   * Takes an OUT, a GAP, a SIZE or an EXIT.
   * @throws {SandboxError} code `protocol_error` when output is missing before it.
   */
  take(frame: Frame): void {
    if (frame.type === FrameType.out) this.#out(frame);
    else if (frame.type === FrameType.gap) this.#gap(frame);
    else if (frame.type === FrameType.exit) this.#exit(frame);
    else this.#setSize(parseSizeInForce(frame.payload), frame.offset);
  }

  /** The reader has taken in everything below the offset. */
  ack(offset: number): void {
    // An offset of an epoch before would be beyond.
    this.#acked = Math.max(this.#acked, Math.min(offset, this.#received));
    const due = this.#acked - this.#ackSent;
    if (due < ackEveryBytes && !(due > 0 && this.#acked === this.#received)) return;
    this.#ackSent = this.#acked;
    this.#sendAck(this.#acked);
  }

  #out({ offset, payload }: Frame): void {
    if (this.#gapDue || offset > this.#received) throw protocolError('output is missing without a gap');
    const data = payload.subarray(this.#received - offset);
    if (data.length === 0) return;
    this.events.push({ type: 'output', offset: this.#received, data });
    this.#received += data.length;
  }

  #gap({ offset: next, payload }: Frame): void {
    const { from, to, reason } = parseGap(payload);
    this.#gapDue = false;
    this.#received = next;
    // What came before the gap and is not acknowledged yet must not hold back what follows it.
    this.#acked = next;
    this.#ackSent = next;
    this.events.push({ type: 'gap', from, to, reason });
  }

  #exit({ payload }: Frame): void {
    const { at: _at, ...exit } = parseExit(payload);
    this.events.push({ type: 'exit', ...exit });
  }

  #setSize({ cols, rows }: PtySize, offset: number): void {
    if (cols === this.#size.cols && rows === this.#size.rows) return;
    this.#size = { cols, rows };
    this.events.push({ type: 'size', offset, cols, rows });
  }
}
