import type { RelaySocket } from '../../../../src/relay/relay-api.js';
import { decodeFrame, encodeFrame, type Frame, FrameType } from '../../../../src/wire/pty-frame.js';
import {
  encodeJson,
  type Hello,
  parseRefusal,
  parseWelcome,
  type Refusal,
  type Welcome,
} from '../../../../src/wire/pty-messages.js';

const defaults = {
  token: 'ann',
  clientId: 'tab',
  have: 0,
  acked: 0,
  window: 262_144,
  mode: 'write',
  cols: 80,
  rows: 24,
};

/** A client's end of a socket, driven frame by frame. */
export class MemorySocket implements RelaySocket {
  readonly frames: Frame[] = [];
  closeCode: number | undefined;
  /** What waits to be sent. */
  buffered = 0;
  onMessage: RelaySocket['onMessage'] = () => {};
  onClose: RelaySocket['onClose'] = () => {};

  send(data: Uint8Array): void {
    if (this.closeCode === undefined) this.frames.push(decodeFrame(data));
  }

  close(code: number): void {
    if (this.closeCode !== undefined) return;
    this.closeCode = code;
    this.onClose();
  }

  bufferedAmount(): number {
    return this.buffered;
  }

  /** The connection breaks. */
  drop(): void {
    this.close(1006);
  }

  hello(fields: Partial<Hello>): this {
    this.onMessage(encodeJson(FrameType.hello, 0, { ...defaults, ...fields }));
    return this;
  }

  type(offset: number, text: string): void {
    this.onMessage(encodeFrame(FrameType.in, offset, new TextEncoder().encode(text)));
  }

  ack(offset: number): void {
    this.onMessage(encodeFrame(FrameType.ack, offset));
  }

  resize(number: number, cols: number, rows: number): void {
    this.onMessage(encodeJson(FrameType.resize, number, { cols, rows }));
  }

  refresh(token: string): void {
    this.onMessage(encodeJson(FrameType.refresh, 0, { token }));
  }

  askToWrite(): void {
    this.onMessage(encodeJson(FrameType.mode, 0, { mode: 'write' }));
  }

  of(type: FrameType): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  json(type: FrameType): unknown[] {
    return this.of(type).map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)));
  }

  get output(): string {
    return this.of(FrameType.out)
      .map(({ payload }) => new TextDecoder().decode(payload))
      .join('');
  }

  /** The offset after the last byte of output. */
  get end(): number {
    const last = this.of(FrameType.out).at(-1);
    return last ? last.offset + last.payload.length : 0;
  }

  get inputAcked(): number {
    return this.of(FrameType.ack).at(-1)?.offset ?? 0;
  }

  get welcome(): Welcome {
    const [frame] = this.of(FrameType.welcome);
    if (!frame) throw new Error(`no WELCOME; closed with ${this.closeCode}`);
    return parseWelcome(frame.payload);
  }

  get refusal(): Refusal {
    const [frame] = this.of(FrameType.error);
    if (!frame) throw new Error(`no ERROR; closed with ${this.closeCode}`);
    return parseRefusal(frame.payload);
  }
}
