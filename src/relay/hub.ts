/** One terminal: one channel to it, its history, and the sockets that watch it. */

import type { Channel, ChannelEvent, ExitEvent, PtySize } from '../channel/channel.js';
import { ConnectionError } from '../errors.js';
import { PtyClose } from '../wire/pty-close.js';
import { randomId } from '../wire/pty-id.js';
import type { Exit, Gap, Hello } from '../wire/pty-messages.js';
import { Attachment, type AttachmentOwner, type Traffic } from './attachment.js';
import { History } from './history.js';
import { clampWindow, type HubSettings } from './hub-settings.js';
import { InputClients } from './input-clients.js';
import { InputQueue } from './input-queue.js';
import { ReadGate } from './read-gate.js';
import type { RelayAccess, RelayLogEvent, RelaySocket } from './relay-api.js';
import { replaced, superseded } from './relay-error.js';
import { TerminalSize } from './terminal-size.js';

export interface HubOptions {
  sandboxId: string;
  channel: Channel;
  /** The size it was started with, where that is known. */
  size?: PtySize | undefined;
  settings: HubSettings;
  log: (event: RelayLogEvent) => void;
  /** The terminal is over and forgotten. */
  onEnd: (hub: Hub) => void;
}

/** A HELLO that was found in order. */
export interface Newcomer {
  socket: RelaySocket;
  hello: Hello;
  access: RelayAccess;
  order: number;
}

/** Output that comes within this time of the last is sent together, in milliseconds. */
const coalesceMs = 2;
/** How long the end of a program waits for the fate of the input that may have ended it, in milliseconds. */
const lastInputMs = 500;

export class Hub implements AttachmentOwner {
  readonly sandboxId: string;
  readonly pid: number;
  readonly #epoch = randomId();
  readonly #options: HubOptions;
  readonly #history: History;
  readonly #gate: ReadGate;
  readonly #input: InputQueue;
  readonly #clients = new InputClients();
  readonly #size: TerminalSize;
  readonly #attachments = new Set<Attachment>();
  #writer: Attachment | undefined;
  #exit: Exit | undefined;
  #ended = false;
  #unsent = false;
  #coalescing: ReturnType<typeof setTimeout> | undefined;
  #tombstone: ReturnType<typeof setTimeout> | undefined;
  #keepAlive: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HubOptions) {
    const { channel, settings } = options;
    this.#options = options;
    this.sandboxId = options.sandboxId;
    this.pid = channel.pid;
    this.#history = new History(settings.ringBytes);
    this.#gate = new ReadGate(settings);
    this.#input = new InputQueue((data) => channel.send(data));
    this.#size = new TerminalSize((size) => channel.resize(size), options.size);
    void this.#run();
  }

  /** @throws {ConnectionError} code `connection_lost` when the terminal went away meanwhile. */
  attach({ socket, hello, access, order }: Newcomer): void {
    if (this.#ended) {
      this.#options.onEnd(this);
      throw wentAway();
    }
    const { client, inputHave } = this.#clients.take(access, hello, this.#epoch);
    const mode = access.mode === 'write' ? hello.mode : 'read';
    const { pingIntervalMs, pingTimeoutMs } = this.#options.settings;
    const window = clampWindow(hello.window);
    const attachment = new Attachment(this, {
      socket,
      access,
      mode,
      order,
      clientId: hello.clientId,
      client,
      window,
      pingIntervalMs,
      pingTimeoutMs,
    });
    if (!this.#replaceOthers(attachment)) return;
    this.#attachments.add(attachment);
    const { from, gap } = this.#startOf(hello);
    attachment.welcome(
      {
        pty: this.pid,
        epoch: this.#epoch,
        from,
        head: this.#history.head,
        inputHave,
        mode,
        size: this.#size.current ?? { cols: hello.cols, rows: hello.rows },
        durable: false,
      },
      gap ? from : hello.acked,
      gap,
    );
    if (mode === 'write') {
      this.#writer = attachment;
      this.#gate.attach(attachment.acked);
      this.#size.wish({ cols: hello.cols, rows: hello.rows }, this.#history.head);
      if (gap && gap.reason !== firstGapReason) this.#size.nudge();
    }
    this.#log('attach', access);
    this.#keepSandbox();
    this.#pump(attachment);
  }

  /** Whether anybody is here. */
  get isAttended(): boolean {
    return this.#attachments.size > 0;
  }

  /** Everybody who is here. */
  attached(): Attachment[] {
    return [...this.#attachments];
  }

  acked(from: Attachment): void {
    if (from === this.#writer) this.#gate.acked(from.acked);
    this.#pump(from);
  }

  input(from: Attachment, data: Uint8Array): void {
    this.#input.push(from.client, data);
  }

  resized(from: Attachment, size: PtySize): void {
    this.#size.wish(size, 0);
    this.#size.reached(from.sent);
  }

  gone(attachment: Attachment): void {
    this.#attachments.delete(attachment);
    if (this.#writer === attachment) {
      this.#writer = undefined;
      this.#gate.detach();
    }
    if (this.#attachments.size === 0) this.#stopKeepingSandbox();
    this.#log('detach', attachment.access, undefined, attachment.traffic);
  }

  /** Lets go of the terminal and of everybody at it; the program lives on. */
  close(code: number = PtyClose.goingAway): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const attachment of [...this.#attachments]) attachment.close(code);
    clearTimeout(this.#coalescing);
    clearTimeout(this.#tombstone);
    this.#stopKeepingSandbox();
    this.#gate.close();
    this.#options.channel.close();
    this.#options.onEnd(this);
  }

  async #run(): Promise<void> {
    const { channel } = this.#options;
    try {
      for await (const event of channel) {
        await this.#take(event);
        if (this.#exit || this.#ended) return;
        if (!(await this.#gate.open(this.#history.head))) return;
      }
      throw wentAway();
    } catch (error) {
      if (this.#ended) return;
      this.#log('error', undefined, error instanceof Error ? error.name : 'unknown');
      void this.#input.end('the terminal went away');
      for (const attachment of [...this.#attachments]) attachment.fail(error);
      this.close();
    }
  }

  async #take(event: ChannelEvent): Promise<void> {
    if (event.type === 'exit') return this.#takeExit(event);
    if (event.type === 'gap') {
      this.#history.addHole(event.reason);
      this.#log('gap', undefined, event.reason);
    } else {
      this.#history.append(event.data);
      this.#options.channel.ack(event.offset + event.data.length);
    }
    // The first byte goes at once; what follows on its heels goes together.
    if (this.#coalescing === undefined) this.#pumpAll();
    else this.#unsent = true;
  }

  async #takeExit({ exitCode, status, error }: ExitEvent): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, lastInputMs);
    });
    await Promise.race([this.#input.end('the program has ended'), patience]);
    clearTimeout(timer);
    if (this.#ended) return;
    this.#exit = { exitCode, status, ...(error === undefined ? {} : { error }), at: Date.now() };
    this.#tombstone = setTimeout(() => this.close(), this.#options.settings.tombstoneMs);
    this.#gate.close();
    this.#log('exit', undefined, status);
    for (const attachment of [...this.#attachments]) this.#pump(attachment);
  }

  #pumpAll(): void {
    this.#unsent = false;
    for (const attachment of [...this.#attachments]) this.#pump(attachment);
    this.#coalescing = setTimeout(() => {
      this.#coalescing = undefined;
      if (this.#unsent) this.#pumpAll();
    }, coalesceMs);
  }

  #pump(attachment: Attachment): void {
    const declared = attachment.pump(this.#history);
    if (attachment === this.#writer) {
      if (declared) {
        this.#size.nudge();
        this.#gate.acked(attachment.acked);
      }
      this.#size.reached(attachment.sent);
    }
    if (this.#exit && attachment.sent === this.#history.head) attachment.exit(this.#exit);
  }

  /** Whether the newcomer may stay; of two sockets of a client, and of two writers, the newer one stays. */
  #replaceOthers(newcomer: Attachment): boolean {
    for (const other of [...this.#attachments]) {
      const sameClient = other.client === newcomer.client;
      const bothWrite = other === this.#writer && newcomer.mode === 'write';
      if (!sameClient && !bothWrite) continue;
      if (other.order > newcomer.order) {
        newcomer.refuse(PtyClose.replaced, sameClient ? superseded : replaced);
        return false;
      }
      if (!sameClient) this.#input.drop(other.client, 'another window took over');
      other.refuse(PtyClose.replaced, sameClient ? superseded : replaced);
    }
    return true;
  }

  /** Where a client goes on, and what it misses. */
  #startOf(hello: Hello): { from: number; gap?: Gap } {
    const { tail, head } = this.#history;
    const { have } = hello;
    const sameEpoch = hello.epoch === undefined ? have === 0 : hello.epoch === this.#epoch;
    if (sameEpoch && have >= tail && have <= head) return { from: have };
    const from = this.#history.lineStart();
    if (hello.epoch === undefined) return { from, gap: { from: 0, to: from, reason: firstGapReason } };
    const to = sameEpoch ? from : null;
    const reason = sameEpoch ? 'older output is no longer kept' : 'the relay was started anew';
    return { from, gap: { from: have, to, reason } };
  }

  #keepSandbox(): void {
    const keep = () => {
      const access = [...this.#attachments].find((attachment) => attachment.access.keepAlive)?.access;
      this.#keepAlive = setTimeout(keep, access?.keepAliveMs ?? 60_000);
      access?.keepAlive?.().catch(() => this.#log('error', access, 'the sandbox could not be kept alive'));
    };
    if (this.#keepAlive === undefined && !this.#exit) keep();
  }

  #stopKeepingSandbox(): void {
    clearTimeout(this.#keepAlive);
    this.#keepAlive = undefined;
  }

  #log(event: RelayLogEvent['event'], access?: RelayAccess, detail?: string, traffic?: Traffic): void {
    this.#options.log({
      event,
      sandboxId: this.sandboxId,
      pid: this.pid,
      ...(access && { sessionId: access.sessionId, subject: access.subject }),
      ...(detail !== undefined && { detail }),
      ...traffic,
    });
  }
}

const firstGapReason = 'the beginning of the output is no longer kept';

function wentAway(): ConnectionError {
  return new ConnectionError('The terminal went away.', { code: 'connection_lost' });
}
