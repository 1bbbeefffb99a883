/** Output as it comes from the relay: no byte twice, none missing without a word. */

import { type Frame, FrameType, protocolError } from '../wire/pty-frame.js';
import { parseGap, type Welcome } from '../wire/pty-messages.js';
import type { ChannelEvent } from './channel.js';
import { EventQueue } from './event-queue.js';

const ackEveryBytes = 64 * 1024;

export class SocketOutput {
  readonly events: EventQueue<ChannelEvent> = new EventQueue<ChannelEvent>();
  readonly #sendAck: (offset: number) => void;
  #epoch: string | undefined;
  #received = 0;
  #acked = 0;
  #ackSent = 0;
  /** A WELCOME spoke of a later place than ours, or of another epoch: nothing may follow but the gap between. */
  #gapDue = false;

  constructor(sendAck: (offset: number) => void) {
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

  welcome({ epoch, from }: Welcome): void {
    const other = this.#epoch !== undefined && epoch !== this.#epoch;
    this.#gapDue = other || from > this.#received;
    this.#epoch = epoch;
    this.#ackSent = this.#acked;
  }

  /**
   * Takes an OUT or a GAP.
   * @throws {SandboxError} code `protocol_error` when output is missing before it.
   */
  take(frame: Frame): void {
    if (frame.type === FrameType.out) this.#out(frame);
    else this.#gap(frame);
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
}
