/** One socket at one terminal, after its HELLO: what it has been sent, and what it may be sent. */

import type { PtySize } from '../channel/channel.js';
import { Heartbeat } from '../channel/socket-heartbeat.js';
import { PermissionDeniedError } from '../errors.js';
import { PtyClose } from '../wire/pty-close.js';
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameType,
  maxInputBytes,
  protocolError,
} from '../wire/pty-frame.js';
import {
  type Exit,
  encodeJson,
  type Gap,
  type Mode,
  parseMode,
  parseRefresh,
  parseResize,
  type Refusal,
  type Welcome,
} from '../wire/pty-messages.js';
import type { History } from './history.js';
import type { InputClient, InputListener, LostRange } from './input-queue.js';
import { OutputSender } from './output-sender.js';
import type { RelayAccess, RelaySocket } from './relay-api.js';
import { closingFor } from './relay-error.js';

/** What an attachment asks of its hub. */
export interface AttachmentOwner {
  acked(from: Attachment): void;
  input(from: Attachment, data: Uint8Array): void;
  /** It wants to be the writer. */
  asksToWrite(from: Attachment): void;
  resized(from: Attachment, size: PtySize): void;
  /** Its session may write now where it might only watch, or the other way round. */
  renewed(from: Attachment): void;
  gone(from: Attachment): void;
}

/** What went over a socket. */
export interface Traffic {
  sentBytes: number;
  receivedBytes: number;
  durationMs: number;
}

export interface AttachmentOptions {
  socket: RelaySocket;
  access: RelayAccess;
  /** Judges a new token. */
  renew: (token: string) => Promise<RelayAccess>;
  /** Rises with each HELLO: of two, the one with the higher number is the newer. */
  order: number;
  clientId: string;
  client: InputClient;
  window: number;
  pingIntervalMs?: number | undefined;
  pingTimeoutMs?: number | undefined;
}

/** More unsettled input than a client may have is no accident; it bounds the relay's memory. */
const maxUnsettledBytes = 256 * 1024;
/** A client asks every 15 s. One that floods and does not read would be answered into memory. */
const maxQuestionsPerInterval = 32;
/** Far more than a window: whoever lets this much wait does not read, and goes on asking. */
const maxUnsentBytes = 4 * 1024 * 1024;

export class Attachment implements InputListener {
  readonly order: number;
  readonly clientId: string;
  readonly client: InputClient;
  readonly #socket: RelaySocket;
  readonly #owner: AttachmentOwner;
  readonly #output: OutputSender;
  readonly #heartbeat: Heartbeat;
  readonly #renew: (token: string) => Promise<RelayAccess>;
  #stopWatching: () => void;
  #renewals = 0;
  readonly #since = Date.now();
  #access: RelayAccess;
  #sentBytes = 0;
  #receivedBytes = 0;
  #questions = 0;
  #lastSize = -1;
  #open = true;

  constructor(owner: AttachmentOwner, options: AttachmentOptions) {
    const { socket, access, client } = options;
    this.#owner = owner;
    this.#socket = socket;
    this.#access = access;
    this.#renew = options.renew;
    this.order = options.order;
    this.clientId = options.clientId;
    this.client = client;
    this.#output = new OutputSender(options.window, (message) => this.#send(message));
    this.#heartbeat = new Heartbeat({
      ping: () => {
        this.#questions = 0;
        this.#send(encodeFrame(FrameType.ping));
      },
      dead: () => this.close(PtyClose.silent),
      intervalMs: options.pingIntervalMs,
      timeoutMs: options.pingTimeoutMs,
    });
    this.#stopWatching = access.watch((reason) => this.fail(reason));
    socket.onMessage = (message) => this.#receive(message);
    socket.onClose = () => this.#end();
  }

  /** By the newest token. */
  get access(): RelayAccess {
    return this.#access;
  }

  get traffic(): Traffic {
    return {
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      durationMs: Date.now() - this.#since,
    };
  }

  /** The offset up to which output was sent. */
  get sent(): number {
    return this.#output.sent;
  }

  /** The offset up to which output was acknowledged. */
  get acked(): number {
    return this.#output.acked;
  }

  /** Answers the HELLO; what is missing before `welcome.from` is declared. */
  welcome(welcome: Welcome, acked: number, gap: Gap | undefined): void {
    this.#output.start(welcome.from, acked);
    this.#send(encodeJson(FrameType.welcome, 0, welcome));
    if (gap) this.#output.gap(gap);
    const { client } = this;
    for (const range of client.lost) this.onLost(range);
    this.onSettled(client.settled);
    client.listener = this;
    this.#heartbeat.start();
  }

  /** Sends what may be sent. Whether a gap had to be declared. */
  pump(history: History): boolean {
    return this.#output.pump(history);
  }

  onLost({ kind, from, to, reason }: LostRange): void {
    const type = kind === 'uncertain' ? FrameType.uncertain : FrameType.notExecuted;
    this.#send(encodeJson(type, from, { to, reason }));
  }

  onSettled(offset: number): void {
    this.#send(encodeFrame(FrameType.ack, offset));
  }

  setMode(mode: Mode): void {
    this.#send(encodeJson(FrameType.mode, this.client.have, mode));
  }

  exit(exit: Exit): void {
    this.#send(encodeJson(FrameType.exit, this.sent, exit));
    this.close(PtyClose.exited);
  }

  /** Closes for a reason that the client is told. */
  refuse(closeCode: number, refusal: Refusal): void {
    this.#send(encodeJson(FrameType.error, this.client.have, refusal));
    this.close(closeCode);
  }

  fail(error: unknown): void {
    const { closeCode, refusal } = closingFor(error);
    this.refuse(closeCode, refusal);
  }

  close(code: number): void {
    if (!this.#open) return;
    this.#end();
    this.#socket.close(code, '');
  }

  #receive(message: Uint8Array | string): void {
    // What was on its way when the socket was closed is not taken any more.
    if (!this.#open) return;
    this.#heartbeat.heard();
    this.#receivedBytes += message.length;
    try {
      this.#take(decodeFrame(message));
    } catch (error) {
      this.fail(error);
    }
  }

  #take(frame: Frame): void {
    switch (frame.type) {
      case FrameType.ack:
        this.#output.ack(frame.offset);
        this.#owner.acked(this);
        break;
      case FrameType.in:
        this.#takeInput(frame);
        break;
      case FrameType.resize: {
        this.#mayWrite();
        const size = parseResize(frame.payload);
        if (frame.offset <= this.#lastSize) break;
        this.#lastSize = frame.offset;
        this.#owner.resized(this, size);
        break;
      }
      case FrameType.ping:
        this.#countQuestion();
        this.#send(encodeFrame(FrameType.pong, frame.offset));
        break;
      case FrameType.mode:
        this.#countQuestion();
        if (parseMode(frame.payload).mode !== 'write') throw protocolError('a client asks for "write"');
        this.#owner.asksToWrite(this);
        break;
      case FrameType.refresh:
        this.#countQuestion();
        void this.#refresh(parseRefresh(frame.payload));
        break;
      case FrameType.pong:
        break;
      default:
        throw protocolError(`a frame of type ${frame.type} has no place here`);
    }
  }

  #takeInput({ offset, payload }: Frame): void {
    this.#mayWrite();
    const { client } = this;
    if (payload.length > maxInputBytes) throw protocolError(`${payload.length} bytes of input in one frame`);
    if (offset > client.have) throw protocolError(`input is missing before ${offset}`);
    // What was accepted before comes again after a drop; it is not executed again.
    const fresh = payload.subarray(client.have - offset);
    if (fresh.length === 0) return;
    if (client.have - client.settled > maxUnsettledBytes) throw protocolError('input beyond its window');
    this.#owner.input(this, fresh);
  }

  /** From now on the socket lives and writes by another token. */
  async #refresh(token: string): Promise<void> {
    const renewal = ++this.#renewals;
    const isWanted = (): boolean => this.#open && renewal === this.#renewals;
    try {
      const access = await this.#renew(token);
      if (!isWanted()) return;
      const changed = access.mode !== this.#access.mode;
      this.#stopWatching();
      this.#access = access;
      this.#stopWatching = access.watch((reason) => this.fail(reason));
      if (changed) this.#owner.renewed(this);
    } catch (error) {
      if (isWanted()) this.fail(error);
    }
  }

  /** A viewer that may write has perhaps just been the writer: what was on its way is no fault. */
  #mayWrite(): void {
    if (this.access.mode === 'write') return;
    throw new PermissionDeniedError('A viewer cannot type or resize.', { code: 'read_only' });
  }

  #countQuestion(): void {
    this.#questions++;
    if (this.#questions > maxQuestionsPerInterval) throw protocolError('too many questions');
  }

  /** Whether it is on its way. */
  #send(message: Uint8Array): boolean {
    if (this.#open && this.#socket.bufferedAmount() > maxUnsentBytes) this.close(PtyClose.silent);
    if (!this.#open) return false;
    this.#sentBytes += message.length;
    this.#socket.send(message);
    return this.#open;
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#heartbeat.stop();
    this.#stopWatching();
    if (this.client.listener === this) this.client.listener = undefined;
    this.#owner.gone(this);
  }
}
