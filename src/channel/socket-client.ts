/** The client's side of `e2b-edge.pty.v1`: one terminal over any number of sockets, one after the other. */

import { SandboxError } from '../errors.js';
import { openSocket, type Socket, type SocketLoss } from '../transport/socket.js';
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameType,
  protocolError,
  ptyProtocol,
} from '../wire/pty-frame.js';
import { randomId } from '../wire/pty-id.js';
import { encodeJson, parseRefusal, parseWelcome, type Refusal } from '../wire/pty-messages.js';
import type { Channel, ChannelEvent, ChannelStatus, PtySize } from './channel.js';
import { Heartbeat } from './socket-heartbeat.js';
import { helloFor } from './socket-hello.js';
import { SocketInput } from './socket-input.js';
import type { SocketChannelOptions } from './socket-options.js';
import { SocketOutput } from './socket-output.js';
import { Persistence } from './socket-persistence.js';
import { SocketSharing } from './socket-sharing.js';
import { StatusEmitter } from './status-emitter.js';

/** A relay that takes longer from HELLO to WELCOME is asked anew; the create key keeps that from being two shells. */
const welcomeTimeoutMs = 30_000;

export class SocketClient implements Channel {
  durable = false;
  readonly sharing: SocketSharing;
  readonly #options: SocketChannelOptions;
  readonly #socket: Socket;
  readonly #output: SocketOutput;
  readonly #input: SocketInput;
  readonly #heartbeat: Heartbeat;
  readonly #persistence = new Persistence();
  readonly #status = new StatusEmitter();
  readonly #clientId: string;
  readonly #createKey = randomId();
  readonly #onOpen: () => void;
  readonly #onFailure: (error: unknown) => void;
  readonly #detach: (() => void) | undefined;
  #openTimer: ReturnType<typeof setTimeout> | undefined;
  #welcomeTimer: ReturnType<typeof setTimeout> | undefined;
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #welcomed = false;
  #pid: number | undefined;
  #replayUntil = 0;
  #token = '';
  /** The newest, where it was made while the socket lived. */
  #newToken: string | undefined;
  #refusal: { words: Refusal; acceptedTo?: number } | undefined;
  #lastHeard = 0;

  constructor(options: SocketChannelOptions, onOpen: () => void, onFailure: (error: unknown) => void) {
    this.#options = options;
    this.#onOpen = onOpen;
    this.#onFailure = onFailure;
    this.#clientId = options.clientId ?? randomId();
    if ('pid' in options.target) this.#pid = options.target.pid;
    this.sharing = new SocketSharing({
      mode: options.mode,
      size: options.size,
      send: (message) => this.#welcomed && this.#send(message),
      onMode: () => this.#input.refuse(this.sharing.refusal),
    });
    this.#output = new SocketOutput(options.size, (offset) => this.#send(encodeFrame(FrameType.ack, offset)));
    this.#input = new SocketInput({
      transmit: (offset, data) => this.#send(encodeFrame(FrameType.in, offset, data)),
      heldMs: options.heldInputMs ?? 5_000,
    });
    this.#heartbeat = new Heartbeat({
      ping: () => this.#send(encodeFrame(FrameType.ping)),
      dead: () => this.#socket.replace(),
      intervalMs: options.pingIntervalMs,
      timeoutMs: options.pingTimeoutMs,
    });
    this.#socket = openSocket({
      url: () => this.#prepare(),
      protocol: ptyProtocol,
      WebSocket: options.WebSocket,
      onOpen: () => this.#greet(),
      onMessage: (message) => this.#take(message),
      onLoss: (loss) => this.#lose(loss),
    });
    const { openTimeoutMs = 60_000, attach } = options;
    if (openTimeoutMs > 0) {
      const expire = () => this.fail(this.#persistence.openingFailed(`within ${openTimeoutMs} ms`));
      this.#openTimer = setTimeout(expire, openTimeoutMs);
    }
    this.#detach = attach?.(
      (error) => this.fail(error),
      (token) => this.#refresh(token),
    );
  }

  get pid(): number {
    return this.#pid ?? 0;
  }

  get epoch(): string {
    return this.#output.epoch ?? '';
  }

  get replayUntil(): number {
    return this.#replayUntil;
  }

  get status(): ChannelStatus {
    return this.#status.current;
  }

  onStatus(listener: (status: ChannelStatus) => void): () => void {
    return this.#status.on(listener);
  }

  [Symbol.asyncIterator](): AsyncIterator<ChannelEvent> {
    return this.#output.events[Symbol.asyncIterator]();
  }

  ack(offset: number): void {
    this.#output.ack(offset);
  }

  send(data: Uint8Array): Promise<void> {
    return this.#input.send(data);
  }

  resize(size: PtySize): void {
    this.sharing.resize(size);
  }

  reconnect(): void {
    // An open socket may be dead without knowing it: ask.
    if (this.#welcomed) this.#heartbeat.probe();
    else this.#socket.retry();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#output.events.clear();
    this.#end('the terminal was closed');
  }

  /** Ends the channel with an error. */
  fail(error: unknown, acceptedTo?: number): void {
    if (this.#state === 'closed') return;
    const opening = this.#state === 'opening';
    const reason =
      error instanceof Error ? error : new SandboxError('The terminal was given up.', { cause: error });
    this.#end('the terminal was given up', reason, acceptedTo);
    if (opening) this.#onFailure(error);
  }

  /** Before each attempt: a token for HELLO, which never goes into the URL. */
  async #prepare(): Promise<string> {
    this.#refusal = undefined;
    this.#token = await this.#options.token({ refresh: this.#persistence.refreshToken });
    const { url } = this.#options;
    return typeof url === 'string' ? url : await url();
  }

  #greet(): void {
    this.#lastHeard = Date.now();
    const hello = helloFor(this.#options, {
      token: this.#token,
      clientId: this.#clientId,
      createKey: this.#createKey,
      pid: this.#pid,
      sharing: this.sharing,
      output: this.#output,
    });
    this.#send(encodeJson(FrameType.hello, 0, hello));
    this.#welcomeTimer = setTimeout(() => this.#socket.replace(), welcomeTimeoutMs);
  }

  #take(message: Uint8Array | string): void {
    this.#lastHeard = Date.now();
    this.#heartbeat.heard();
    try {
      this.#dispatch(decodeFrame(message));
    } catch (error) {
      this.fail(error);
    }
  }

  #dispatch(frame: Frame): void {
    const { type, offset, payload } = frame;
    if (type === FrameType.error) {
      // Before WELCOME the relay speaks for no terminal, and knows nothing of the input of one before.
      this.#refusal = { words: parseRefusal(payload), ...(this.#welcomed && { acceptedTo: offset }) };
      return;
    }
    if (!this.#welcomed && type !== FrameType.welcome) throw protocolError('WELCOME does not come first');
    switch (type) {
      case FrameType.welcome:
        this.#enter(payload);
        break;
      case FrameType.out:
      case FrameType.gap:
      case FrameType.size:
        this.#output.take(frame);
        break;
      case FrameType.ack:
        this.#input.acked(offset);
        break;
      case FrameType.notExecuted:
      case FrameType.uncertain:
        this.#input.lost(frame);
        break;
      case FrameType.exit:
        this.#output.take(frame);
        this.#end('the program has ended');
        break;
      case FrameType.mode:
        this.sharing.take(frame);
        break;
      case FrameType.ping:
        this.#send(encodeFrame(FrameType.pong, offset));
        break;
      case FrameType.pong:
        break;
      default:
        throw protocolError(`a frame of type ${type} has no place here`);
    }
  }

  #enter(payload: Uint8Array): void {
    const welcome = parseWelcome(payload);
    if (this.#welcomed) throw protocolError('WELCOME came twice');
    clearTimeout(this.#welcomeTimer);
    const first = this.#state === 'opening';
    const sameEpoch = first || welcome.epoch === this.#output.epoch;
    // What a terminal that was just created has printed was seen by nobody: it is no replay.
    const created = first && this.#pid === undefined;
    const missed = !sameEpoch || welcome.head > this.#output.received;
    if (missed && !created) this.#replayUntil = welcome.head;
    this.#pid = welcome.pty;
    this.durable = welcome.durable;
    this.#output.welcome(welcome);
    this.#welcomed = true;
    this.#persistence.settled();
    this.#socket.settled();
    this.#heartbeat.start();
    this.sharing.set(welcome);
    this.#input.up(welcome.inputHave, sameEpoch);
    this.sharing.resume();
    this.#refresh();
    if (first) {
      this.#state = 'open';
      clearTimeout(this.#openTimer);
      this.#onOpen();
    } else {
      this.#status.set({ state: 'open' });
    }
  }

  /** Lets the socket go on by the newest token. */
  #refresh(token = this.#newToken): void {
    this.#newToken = token;
    if (!this.#welcomed || token === undefined || token === this.#token) return;
    this.#token = token;
    this.#send(encodeJson(FrameType.refresh, 0, { token }));
  }

  #lose(loss: SocketLoss): void {
    clearTimeout(this.#welcomeTimer);
    this.#heartbeat.stop();
    const { words, acceptedTo } = this.#refusal ?? {};
    if (this.#welcomed) this.#input.down(this.#lastHeard, acceptedTo);
    this.#welcomed = false;
    if (this.#state === 'closed') return;
    const verdict = this.#persistence.judge(loss, words, this.#state === 'opening');
    if (verdict.stop) {
      this.fail(verdict.stop, acceptedTo);
      return;
    }
    if (verdict.holdOffMs !== undefined) this.#socket.holdOff(verdict.holdOffMs);
    if (this.#state === 'opening') return;
    const { attempt, error } = verdict;
    this.#status.set({ state: 'reconnecting', attempt, ...(error && { error }) });
  }

  #send(message: Uint8Array): void {
    this.#socket.send(message);
  }

  #end(reason: string, error?: Error, acceptedTo?: number): void {
    this.#state = 'closed';
    this.#detach?.();
    clearTimeout(this.#openTimer);
    clearTimeout(this.#welcomeTimer);
    this.#heartbeat.stop();
    this.#socket.close();
    this.#input.end(reason, acceptedTo);
    this.#output.events.end(error);
    this.sharing.end(error);
    this.#status.set(error ? { state: 'closed', error } : { state: 'closed' });
  }
}
