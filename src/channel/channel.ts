/**
 * The one seam of a terminal: its bytes, in order, with offsets. The handle, the terminal and the relay know
 * this and nothing of what is underneath: a Connect stream (`live-channel.ts`) or the terminal protocol over a
 * WebSocket (`socket-channel.ts`).
 */

/** The size of a terminal, in character cells. */
export interface PtySize {
  cols: number;
  rows: number;
}

/** Bytes that the terminal printed. */
export interface OutputEvent {
  type: 'output';
  /** Of the first byte, counted from the beginning of the channel's epoch. */
  offset: number;
  data: Uint8Array;
}

/** Output that is gone: it is declared, never hidden. What follows starts on a screen to be reset. */
export interface GapEvent {
  type: 'gap';
  /** The first offset that is missing. */
  from: number;
  /** The offset of the next byte that will come, or null where nobody counted what was lost. */
  to: number | null;
  /** Why, in words. */
  reason: string;
}

/** What follows is printed in another size than before: that of the window which writes. */
export interface SizeEvent extends PtySize {
  type: 'size';
  /** Of the first byte that is printed in it. */
  offset: number;
}

/** The program of the terminal ended. Always the last event. */
export interface ExitEvent {
  type: 'exit';
  /** The exit status; -1 when a signal ended it. */
  exitCode: number;
  /** envd's words: `exit status 0`, `signal: killed`. */
  status: string;
  /** The same words, for an end other than exit status 0. */
  error?: string;
}

export type ChannelEvent = OutputEvent | GapEvent | SizeEvent | ExitEvent;

/**
 * How the link is. `reconnecting` heals by itself; `closed` is final: by `close()` (no error), by the exit of the
 * program (no error), or for a reason given in `error`.
 */
export type ChannelStatus =
  | { state: 'open' }
  | { state: 'reconnecting'; attempt: number; error?: Error }
  | { state: 'closed'; error?: Error };

/** `write`: what is typed here is executed, and the terminal has this one's size. `read`: this one watches. */
export type ChannelMode = 'write' | 'read';

/** A terminal that several windows may be at. One of them writes: whoever opened it last, until another takes over. */
export interface ChannelSharing {
  readonly mode: ChannelMode;
  /** Whether this one may take over; where it may not, its session only watches. */
  readonly mayWrite: boolean;
  /** Calls back at each change of `mode` or `mayWrite`, and returns what ends that. */
  onMode(listener: (mode: ChannelMode) => void): () => void;
  /**
   * Becomes the writer; the one before watches from then on, and what it has typed and was not sent yet is not executed.
   * Resolves when this one may type; a link that is down is waited for.
   * @throws {PermissionDeniedError} code `read_only`: the session may only watch.
   */
  takeOver(): Promise<void>;
}

/**
 * A terminal's channel. It is read by one reader:
 *
 * ```ts
 * for await (const event of channel) {
 *   if (event.type === 'output') { await show(event.data); channel.ack(event.offset + event.data.length); }
 * }
 * ```
 *
 * Leaving the loop stops the reading and keeps the channel; a second loop goes on where the first one stopped.
 * When the channel ends with an error the loop throws it.
 */
export interface Channel extends AsyncIterable<ChannelEvent> {
  /** The process id of the terminal's program in the sandbox. */
  readonly pid: number;
  /** Names the space in which offsets count; another epoch, another count. */
  readonly epoch: string;
  /**
   * Output below this offset was printed before the link was made: a replay. What a terminal answers to it by itself
   * must not be sent again. 0 where nothing is replayed. It may grow at each reconnect.
   */
  readonly replayUntil: number;
  /** Whether the output is kept in the sandbox. Default false. */
  readonly durable?: boolean;
  /** The offset of the first byte that it gives. Default 0. */
  readonly firstOffset?: number;
  readonly status: ChannelStatus;
  /** Absent where a terminal is not shared: straight to envd, everybody writes. */
  readonly sharing?: ChannelSharing;
  /** Calls back at each change of `status`, and returns what ends that. */
  onStatus(listener: (status: ChannelStatus) => void): () => void;
  /** Everything below this offset was taken in. What is not acknowledged holds the sender back. */
  ack(offset: number): void;
  /**
   * Queues bytes for the terminal, in order. Resolves when envd took them, rejects when they were not or may not
   * have been executed: the error's code is `input_not_executed` or `input_uncertain`.
   */
  send(data: Uint8Array): Promise<void>;
  /** Wishes for a size. The newest wish wins; it is kept and sent when the link is down. */
  resize(size: PtySize): void;
  /** Tries at once where the channel waits to reconnect: call it when the network or the page is back. */
  reconnect(): void;
  /** Lets go of the terminal; the program lives on. Safe to call again. */
  close(): void;
}

/** Which terminal a channel is for: a new one, or a running one by its process id. */
export type PtyTarget = { create: PtyCreate } | { pid: number };

/** What a new terminal is started with. */
export interface PtyCreate {
  size: PtySize;
  /** The Linux user; envd's default user if absent. Through a broker the session's user always wins. */
  user?: string;
  /** The working directory; the template's if absent. */
  cwd?: string;
  /** Added to the terminal's own (`TERM`, `LANG`, `LC_ALL`), which they may replace. */
  envs?: Record<string, string>;
  /** How long the program may live, in milliseconds. Default: no limit. */
  timeoutMs?: number;
  /** Through a broker's relay: whether the output is kept in the sandbox; `auto` where the sandbox can. */
  durable?: boolean | 'auto';
  /** How much of it is kept, in bytes. */
  maxLogBytes?: number;
}
