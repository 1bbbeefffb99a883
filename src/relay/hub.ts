/** One terminal: one channel to it, its history, and the sockets that watch it. */

import type { Channel, ChannelEvent, ExitEvent, PtySize } from '../channel/channel.js';
import { PtyClose } from '../wire/pty-close.js';
import type { Exit, Hello } from '../wire/pty-messages.js';
import { Attachment, type AttachmentOwner } from './attachment.js';
import { Coalescer } from './coalescer.js';
import { History } from './history.js';
import { type HubLog, hubLog } from './hub-log.js';
import { clampWindow, type HubSettings } from './hub-settings.js';
import { InputClients } from './input-clients.js';
import { InputQueue } from './input-queue.js';
import { newcomerMode } from './newcomer-mode.js';
import { ReadGate } from './read-gate.js';
import type { RelayAccess, RelayLogEvent, RelaySocket } from './relay-api.js';
import { replaced, wentAway } from './relay-error.js';
import { resumePoint } from './resume-point.js';
import { SandboxKeeper } from './sandbox-keeper.js';
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
  /** Judges a new token for the socket. */
  renew: (token: string) => Promise<RelayAccess>;
}

/** How long the end of a program waits for the fate of the input that may have ended it, in milliseconds. */
const lastInputMs = 500;
/** Why the input of one who was the writer is not executed. */
const takenOver = 'another window took over';

export class Hub implements AttachmentOwner {
  readonly sandboxId: string;
  readonly pid: number;
  readonly #log: HubLog;
  readonly #options: HubOptions;
  readonly #history: History;
  readonly #gate: ReadGate;
  readonly #input: InputQueue;
  readonly #clients = new InputClients();
  readonly #size: TerminalSize;
  readonly #attachments = new Set<Attachment>();
  readonly #coalescer = new Coalescer(() => this.#pumpAll());
  readonly #keeper: SandboxKeeper;
  #writer: Attachment | undefined;
  #exit: Exit | undefined;
  #onOutput: (() => void) | undefined;
  #ended = false;
  #tombstone: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HubOptions) {
    const { channel, settings } = options;
    this.#options = options;
    this.sandboxId = options.sandboxId;
    this.pid = channel.pid;
    this.#log = hubLog(options.log, this);
    this.#history = new History(settings.ringBytes, options.size, channel.firstOffset);
    this.#gate = new ReadGate(settings, channel.firstOffset);
    this.#input = new InputQueue((data) => channel.send(data));
    this.#size = new TerminalSize((size) => channel.resize(size), options.size);
    this.#keeper = new SandboxKeeper(
      () => [...this.#attachments].map(({ access }) => access),
      (access) => this.#log('error', access, 'the sandbox could not be kept alive'),
    );
    void this.#run();
  }

  /** @throws {ConnectionError} code `connection_lost` when the terminal went away meanwhile. */
  attach({ socket, hello, access, order, renew }: Newcomer): void {
    if (this.#ended) {
      this.#options.onEnd(this);
      throw wentAway();
    }
    const { epoch, durable = false } = this.#options.channel;
    const { client, inputHave } = this.#clients.take(access, hello, epoch);
    const attachment = new Attachment(this, {
      ...this.#options.settings,
      socket,
      access,
      renew,
      order,
      clientId: hello.clientId,
      client,
      window: clampWindow(hello.window),
    });
    if (!this.#replaceOlder(attachment)) return;
    this.#attachments.add(attachment);
    const mode = newcomerMode({ access, hello, order }, this.#writer);
    const { from, gap, repaint } = resumePoint(hello, epoch, this.#history);
    attachment.welcome(
      {
        pty: this.pid,
        epoch,
        from,
        head: this.#history.head,
        inputHave,
        ...mode,
        size: this.#history.sizeAt(from) ?? { cols: hello.cols, rows: hello.rows },
        durable,
      },
      gap ? from : hello.acked,
      gap,
    );
    if (mode.mode === 'write') {
      this.#makeWriter(attachment);
      this.#size.wish({ cols: hello.cols, rows: hello.rows }, this.#history.head);
      if (repaint) this.#size.nudge();
    }
    this.#log('attach', access);
    if (!this.#exit) this.#keeper.start();
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

  /** Resolves when the output was read up to an offset, or the terminal is over. */
  async reached(offset: number): Promise<void> {
    while (!this.#exit && !this.#ended && this.#history.head < offset) {
      await new Promise<void>((resolve) => {
        this.#onOutput = resolve;
      });
    }
  }

  acked(from: Attachment): void {
    if (from === this.#writer) this.#gate.acked(from.acked);
    this.#pump(from);
  }

  input(from: Attachment, data: Uint8Array): void {
    if (from === this.#writer) this.#input.push(from.client, data);
    else this.#input.refuse(from.client, data.length, takenOver);
  }

  asksToWrite(from: Attachment): void {
    if (from.access.mode === 'write') {
      this.#makeWriter(from);
      from.setMode({ mode: 'write' });
    } else {
      from.setMode({ mode: 'read', reason: 'read_only' });
    }
  }

  resized(from: Attachment, size: PtySize): void {
    if (from !== this.#writer) return;
    this.#size.wish(size, 0);
    this.#applySize(from.sent);
  }

  renewed(attachment: Attachment): void {
    const isReadOnly = attachment.access.mode === 'read';
    if (isReadOnly && this.#writer === attachment) {
      this.#writer = undefined;
      this.#gate.detach();
      this.#input.drop(attachment.client, 'the session may only watch now');
    }
    attachment.setMode({ mode: 'read', ...(isReadOnly && { reason: 'read_only' }) });
  }

  gone(attachment: Attachment): void {
    this.#attachments.delete(attachment);
    if (this.#writer === attachment) {
      this.#writer = undefined;
      this.#gate.detach();
    }
    if (this.#attachments.size === 0) this.#keeper.stop();
    this.#log('detach', attachment.access, undefined, attachment.traffic);
  }

  /** Lets go of the terminal and of everybody at it; the program lives on. */
  close(code: number = PtyClose.goingAway): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onOutput?.();
    for (const attachment of [...this.#attachments]) attachment.close(code);
    this.#coalescer.stop();
    clearTimeout(this.#tombstone);
    this.#keeper.stop();
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
        const { head } = this.#history;
        if (!(await this.#gate.open(head))) return;
        if (channel.durable && !this.isAttended && this.#gate.isOverrun(head)) return this.close();
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
      this.#coalescer.add(0);
    } else if (event.type === 'output') {
      this.#history.append(event.data);
      this.#options.channel.ack(event.offset + event.data.length);
      this.#coalescer.add(event.data.length);
    }
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
    this.#pumpAll();
  }

  #pumpAll(): void {
    this.#onOutput?.();
    for (const attachment of [...this.#attachments]) this.#pump(attachment);
  }

  #pump(attachment: Attachment): void {
    const declared = attachment.pump(this.#history);
    if (attachment === this.#writer) {
      if (declared) {
        this.#size.nudge();
        this.#gate.acked(attachment.acked);
      }
      this.#applySize(attachment.sent);
    }
    if (this.#exit && attachment.sent === this.#history.head) attachment.exit(this.#exit);
  }

  /** The writer was sent the output up to an offset. */
  #applySize(offset: number): void {
    const size = this.#size.reached(offset);
    if (!size) return;
    this.#history.addSize(size);
    this.#pumpAll();
  }

  /** Whether the newcomer may stay: of two sockets of a client the newer one does. */
  #replaceOlder(newcomer: Attachment): boolean {
    const other = [...this.#attachments].find(({ client }) => client === newcomer.client);
    if (!other) return true;
    const isNewer = newcomer.order > other.order;
    (isNewer ? other : newcomer).refuse(PtyClose.replaced, replaced);
    return isNewer;
  }

  /** The writer before watches from now on; its call in flight goes on. */
  #makeWriter(attachment: Attachment): void {
    const older = this.#writer;
    if (older === attachment) return;
    this.#writer = attachment;
    this.#gate.attach(attachment.acked);
    if (!older) return;
    this.#input.drop(older.client, takenOver);
    older.setMode({ mode: 'read', reason: 'taken_over' });
    this.#log('takeover', attachment.access);
  }
}
