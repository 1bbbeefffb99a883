import { ConnectionError } from '../../errors.js';
import type { CallOptions } from '../../transport/call-options.js';
import type { Connection } from '../../transport/connection.js';
import type { Channel, ChannelEvent, ChannelStatus, PtyCreate, PtySize } from '../channel.js';
import { InputQueue, notExecuted } from '../input-queue.js';
import type { LastingOutput } from '../lasting-stream.js';
import { openLiveChannel } from '../live-channel.js';
import { StatusEmitter } from '../status-emitter.js';
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

const nothing = /*@__PURE__*/ new Uint8Array();

/**
 * Starts a terminal whose output is kept.
 * @throws what `startDurable` throws.
 */
export async function createDurableChannel(
  connection: Connection,
  { size, envs, ...create }: PtyCreate & { maxLogBytes: number },
  options: CallOptions,
): Promise<DurableChannel> {
  const log = { id: crypto.randomUUID(), user: create.user };
  const process = {
    ...create,
    cmd: '/bin/bash',
    args: ['-i', '-l'],
    // envd sets none of these.
    envs: { TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...envs },
    pty: size,
    timeoutMs: 0,
  };
  const { pid } = await startDurable(connection, log, process, options);
  const { maxLogBytes } = create;
  const facts = { pid, size, replayUntil: 0, maxLogBytes };
  const channel = new DurableChannel(connection, log, facts, options.signal);
  await channel.begun();
  return channel;
}

/** Takes up a terminal whose output is kept, from its beginning. @throws {NotFoundError} code `process_not_found`. */
export async function openDurableChannel(
  connection: Connection,
  log: DurableLog,
  options: CallOptions,
): Promise<DurableChannel> {
  const { pid, size, kind, maxLogBytes } = await readStatus(connection, log, options);
  if (kind !== 'terminal') throw durableNotFound(log.id);
  const facts = { pid, replayUntil: size.stdout, maxLogBytes };
  return new DurableChannel(connection, log, facts, options.signal);
}

/** What comes from envd, and the offset of its first byte. */
interface LiveRest {
  channel: Channel;
  events: AsyncIterator<ChannelEvent, void>;
  offset: number;
}

/** A terminal whose output is read from its log: nothing of it is lost or shown twice. */
export class DurableChannel implements Channel {
  readonly pid: number;
  readonly epoch: string;
  readonly replayUntil: number;
  readonly #connection: Connection;
  readonly #input: InputQueue;
  readonly #status = new StatusEmitter();
  readonly #stream: DurableStream;
  readonly #maxLogBytes: number;
  readonly #events: ChannelEvent[] = [];
  /** Where the log is full the rest comes from envd, from this offset on. */
  #live: LiveRest | undefined;
  #next: Promise<IteratorResult<LastingOutput, void>> | undefined;
  #held: Uint8Array = nothing;
  #offset = 0;
  #ended = false;
  #size: PtySize | undefined;
  #resizing: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(
    connection: Connection,
    log: DurableLog,
    {
      pid,
      size,
      replayUntil,
      maxLogBytes,
    }: { pid: number; size?: PtySize; replayUntil: number; maxLogBytes: number },
    signal: AbortSignal | undefined,
  ) {
    this.pid = pid;
    this.epoch = log.id;
    this.replayUntil = replayUntil;
    this.#maxLogBytes = maxLogBytes;
    this.#connection = connection;
    this.#size = size;
    this.#input = new InputQueue(connection, pid, 'pty');
    this.#stream = new DurableStream(
      connection,
      log,
      { stdout: 0, stderr: 0 },
      {
        signal,
        reconnectMs: Number.POSITIVE_INFINITY,
        onAttempt: (attempt, error, now) => {
          this.#wake = now;
          this.#status.set({ state: 'reconnecting', attempt, error: error as Error });
        },
        onReader: () => {
          this.#status.set({ state: 'open' });
          if (this.#size) this.resize(this.#size);
        },
      },
    );
  }

  get status(): ChannelStatus {
    return this.#status.current;
  }

  onStatus(listener: (status: ChannelStatus) => void): () => void {
    return this.#status.on(listener);
  }

  /** Resolves when the shell has printed something, or prints nothing for a while. */
  async begun(): Promise<void> {
    this.#next = this.#stream.output.next();
    await Promise.race([this.#next.catch(() => undefined), wait(firstOutputMs)]);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChannelEvent, void, undefined> {
    for (;;) {
      const event = this.#events.shift();
      if (event) yield event;
      else if (this.#ended) break;
      else await this.#read();
    }
    const { current } = this.#status;
    if (current.state === 'closed' && current.error) throw current.error;
  }

  /** The log has it all: nobody waits for what was read. */
  ack(): void {}

  async send(data: Uint8Array): Promise<void> {
    if (this.#ended) throw notExecuted('the terminal is closed');
    await this.#input.send(data).catch((error: unknown) => {
      throw error instanceof ConnectionError ? error : notExecuted('envd refused it', error);
    });
  }

  resize(size: PtySize): void {
    this.#size = size;
    this.#resizing ??= this.#sendSize().finally(() => {
      this.#resizing = undefined;
    });
  }

  reconnect(): void {
    this.#wake?.();
  }

  close(): void {
    this.#end();
  }

  async #read(): Promise<void> {
    if (this.#live) return this.#readLive(this.#live);
    this.#next ??= this.#stream.output.next();
    const ms = isFooter(this.#held) ? holdFooterMs : holdMs;
    try {
      const next = await (this.#held.length > 0 ? Promise.race([this.#next, wait(ms)]) : this.#next);
      if (!next) return this.#release();
      this.#next = undefined;
      if (next.done) this.#end();
      else this.#take(next.value);
      if (!this.#ended && this.#offset + this.#held.length >= this.#maxLogBytes) await this.#goLive();
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #take(event: LastingOutput): void {
    if (event.type === 'stdout') {
      const data = new Uint8Array(this.#held.length + event.data.length);
      data.set(this.#held);
      data.set(event.data, this.#held.length);
      const end = data.length - footerLength(data);
      this.#held = data.subarray(end);
      this.#print(data.subarray(0, end));
    } else if (event.type === 'gap') {
      const { reason = 'output is missing' } = event;
      this.#events.push({ type: 'gap', from: this.#offset, to: null, reason });
    } else if (event.type === 'end') {
      if (!isFooter(this.#held)) this.#release();
      this.#events.push({ ...event, type: 'exit' });
      this.#end();
    }
  }

  /** The log takes no more: what is printed now is had from envd alone, as in other terminals. */
  async #goLive(): Promise<void> {
    this.#release();
    const offset = this.#offset;
    this.#events.push({ type: 'gap', from: offset, to: null, reason: 'the log is full: see maxLogBytes' });
    const channel = await openLiveChannel(this.#connection, { pid: this.pid });
    channel.onStatus((status) => status.state !== 'closed' && this.#status.set(status));
    this.#live = { channel, events: channel[Symbol.asyncIterator](), offset };
    this.#wake = () => channel.reconnect();
    this.#stream.cancel();
  }

  async #readLive({ events, offset }: LiveRest): Promise<void> {
    try {
      const { value: event, done } = await events.next();
      if (done) return this.#end();
      if (event.type === 'output') this.#events.push({ ...event, offset: offset + event.offset });
      else if (event.type === 'gap') this.#events.push({ ...event, from: offset + event.from });
      else this.#events.push(event);
      if (event.type === 'exit') this.#end();
    } catch (error) {
      this.#end(error as Error);
    }
  }

  /** It was no footer: the terminal goes on. */
  #release(): void {
    this.#print(this.#held);
    this.#held = nothing;
  }

  #print(data: Uint8Array): void {
    if (data.length === 0) return;
    this.#events.push({ type: 'output', offset: this.#offset, data });
    this.#offset += data.length;
  }

  /** Sends the newest size, one call at a time. */
  async #sendSize(): Promise<void> {
    const process = { selector: { case: 'pid' as const, value: this.pid } };
    for (let size = this.#size; size && !this.#ended; size = this.#size === size ? undefined : this.#size) {
      await this.#connection
        .call({}, 'pty.resize', (rpc, signal) => rpc.process.update({ process, pty: { size } }, { signal }))
        // The wish is kept: it is sent again with the next reader.
        .catch(() => undefined);
    }
  }

  #end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.cancel();
    this.#live?.channel.close();
    this.#input.drop('the terminal is closed');
    this.#status.set({ state: 'closed', ...(error && { error }) });
  }
}

function wait(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
