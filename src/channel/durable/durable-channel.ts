import { isE2BEdgeError } from '../../errors.js';
import type { CallOptions } from '../../transport/call-options.js';
import type { Connection } from '../../transport/connection.js';
import type { Channel, ChannelEvent, PtyCreate, PtySize } from '../channel.js';
import type { Interrupt } from '../interrupt.js';
import type { LastingOutput } from '../lasting-stream.js';
import { openLiveChannel } from '../live-channel.js';
import { TerminalChannel } from '../terminal-channel.js';
import { terminalProcess } from '../terminal-process.js';
import { durableNotFound, readStatus } from './durable-status.js';
import { DurableStream } from './durable-stream.js';
import { footerLength, isFooter } from './footer.js';
import type { DurableLog } from './run-program.js';
import { startDurable } from './start-durable.js';

/** What is typed before the shell has printed something may be echoed twice: how long to wait for that, in milliseconds. */
const firstOutputMs = 1_000;
/** How long a line's end is held back that may belong to the footer, and how long what looks like all of it. */
const holdMs = 50;
const holdFooterMs = 2_000;

/** The end of a shell whose keeper was killed, as who kills a process id does, and which then gets a hangup. */
const unknownEnd = 'signal: unknown';

const nothing = /*@__PURE__*/ new Uint8Array();

export interface DurableChannelOptions extends CallOptions {
  /** Where the programs of the log are run. Default: where the terminal is. */
  logs?: Connection;
  /** How an interrupt key is let through to a program that does not read. Default: straight by envd. */
  interrupt?: Interrupt;
}

/** What is known of a terminal whose output is kept. */
interface DurableFacts {
  pid: number;
  /** The first byte that is read. Default 0. */
  from?: number;
  /** That it has already. */
  size?: PtySize;
  replayUntil: number;
  maxLogBytes: number;
}

/**
 * Starts a terminal whose output is kept.
 * @throws what `startDurable` throws.
 */
export async function createDurableChannel(
  connection: Connection,
  create: PtyCreate & { maxLogBytes: number; id?: string; tag?: string },
  options: DurableChannelOptions,
): Promise<DurableChannel> {
  const { id = crypto.randomUUID(), tag, user } = create;
  const log = { id, user };
  const process = { ...terminalProcess(create), maxLogBytes: create.maxLogBytes, timeoutMs: 0, tag };
  const { pid } = await startDurable(options.logs ?? connection, log, process, options);
  const { size, maxLogBytes } = create;
  const channel = new DurableChannel(connection, log, { pid, size, replayUntil: 0, maxLogBytes }, options);
  await channel.begun();
  return channel;
}

/**
 * Takes up a terminal whose output is kept.
 * @param from where to begin, told the log's length. Default: at its beginning.
 * @throws {NotFoundError} code `process_not_found`.
 */
export async function openDurableChannel(
  connection: Connection,
  log: DurableLog,
  options: DurableChannelOptions,
  from: (length: number) => number = () => 0,
): Promise<DurableChannel> {
  const { pid, size, kind, maxLogBytes } = await readStatus(options.logs ?? connection, log, options);
  if (kind !== 'terminal') throw durableNotFound(log.id);
  const facts = { pid, from: from(size.stdout), replayUntil: size.stdout, maxLogBytes };
  return new DurableChannel(connection, log, facts, options);
}

/** What comes from envd, and the offset of its first byte. */
interface LiveRest {
  channel: Channel;
  events: AsyncIterator<ChannelEvent, void>;
  offset: number;
}

/** A terminal whose output is read from its log: nothing of it is lost or shown twice. */
export class DurableChannel extends TerminalChannel {
  readonly epoch: string;
  readonly durable = true;
  readonly firstOffset: number;
  readonly replayUntil: number;
  readonly #connection: Connection;
  readonly #stream: DurableStream;
  readonly #maxLogBytes: number;
  readonly #events: ChannelEvent[] = [];
  /** Where the log is full the rest comes from envd, from this offset on. */
  #live: LiveRest | undefined;
  #next: Promise<IteratorResult<LastingOutput, void>> | undefined;
  #held: Uint8Array = nothing;
  #offset: number;
  #wake: (() => void) | undefined;

  constructor(
    connection: Connection,
    log: DurableLog,
    { pid, size, from = 0, replayUntil, maxLogBytes }: DurableFacts,
    { signal, interrupt, logs = connection }: DurableChannelOptions,
  ) {
    super(connection, pid, { size, interrupt, isTakenAhead: true });
    this.firstOffset = from;
    this.#offset = from;
    this.epoch = log.id;
    this.replayUntil = replayUntil;
    this.#maxLogBytes = maxLogBytes;
    this.#connection = connection;
    this.#stream = new DurableStream(
      logs,
      log,
      { stdout: from, stderr: 0 },
      {
        signal,
        reconnectMs: Number.POSITIVE_INFINITY,
        onAttempt: (attempt, error, now) => {
          this.#wake = now;
          this.state.set({ state: 'reconnecting', attempt, error: error as Error });
        },
        onReader: () => this.reopened(),
      },
    );
  }

  /** Resolves when the shell has printed something, or prints nothing for a while. */
  async begun(): Promise<void> {
    this.#next = this.#stream.output.next();
    await Promise.race([this.#next.catch(() => undefined), wait(firstOutputMs)]);
  }

  reconnect(): void {
    this.#wake?.();
  }

  protected async next(): Promise<ChannelEvent | undefined> {
    if (this.#events.length === 0 && !this.closing.aborted) {
      await (this.#live ? this.#readLive(this.#live) : this.#read()).catch((error: unknown) =>
        this.#lose(error),
      );
    }
    return this.#events.shift();
  }

  protected release(): void {
    this.#stream.cancel();
    this.#live?.channel.close();
  }

  async #read(): Promise<void> {
    this.#next ??= this.#stream.output.next();
    const ms = isFooter(this.#held) ? holdFooterMs : holdMs;
    const next = await (this.#held.length > 0 ? Promise.race([this.#next, wait(ms)]) : this.#next);
    if (!next) return this.#print();
    this.#next = undefined;
    if (next.done) this.end();
    else this.#take(next.value);
    if (!this.closing.aborted && this.#offset + this.#held.length >= this.#maxLogBytes) await this.#goLive();
  }

  #lose(error: unknown): void {
    if (isE2BEdgeError(error, 'exit_unknown')) {
      this.#print();
      this.#events.push({ type: 'exit', exitCode: -1, status: unknownEnd, error: unknownEnd });
      this.end();
    } else {
      this.end(error);
    }
  }

  #take(event: LastingOutput): void {
    if (event.type === 'stdout') {
      const data = new Uint8Array(this.#held.length + event.data.length);
      data.set(this.#held);
      data.set(event.data, this.#held.length);
      this.#held = data;
      this.#print(data.length - footerLength(data));
    } else if (event.type === 'gap') {
      const { reason = 'output is missing' } = event;
      this.#events.push({ type: 'gap', from: this.#offset, to: null, reason });
    } else if (event.type === 'end') {
      if (!isFooter(this.#held)) this.#print();
      this.#events.push({ ...event, type: 'exit' });
      this.end();
    }
  }

  /** The log takes no more: what is printed now is had from envd alone, as in other terminals. */
  async #goLive(): Promise<void> {
    this.#print();
    const offset = this.#offset;
    this.#events.push({ type: 'gap', from: offset, to: null, reason: 'the log is full: see maxLogBytes' });
    const channel = await openLiveChannel(this.#connection, { pid: this.pid });
    channel.onStatus((status) => status.state !== 'closed' && this.state.set(status));
    this.#live = { channel, events: channel[Symbol.asyncIterator](), offset };
    this.#wake = () => channel.reconnect();
    this.#stream.cancel();
  }

  async #readLive({ events, offset }: LiveRest): Promise<void> {
    const { value: event, done } = await events.next();
    if (done) return this.end();
    if (event.type === 'output') this.#events.push({ ...event, offset: offset + event.offset });
    else if (event.type === 'gap') this.#events.push({ ...event, from: offset + event.from });
    else this.#events.push(event);
    if (event.type === 'exit') this.end();
  }

  /** Hands on the first bytes of what is held; by default all: it was no footer. */
  #print(length: number = this.#held.length): void {
    if (length === 0) return;
    this.#events.push({ type: 'output', offset: this.#offset, data: this.#held.subarray(0, length) });
    this.#held = this.#held.subarray(length);
    this.#offset += length;
  }
}

function wait(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
