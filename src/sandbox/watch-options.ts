import { callback, flag, milliseconds, type Rules } from '../transport/check-options.js';
import type { FilesystemEvent } from '../wire/filesystem-event.js';
import { type FileOptions, fileRules } from './file-options.js';

/** The stream of events was lost and is back: what happened in between was not seen, so look for yourself. */
export interface WatchGap {
  type: 'gap';
  /** What the stream was lost by. */
  reason: string;
}

/** What a loop over a watch sees. */
export type WatchEvent = FilesystemEvent | WatchGap;

export interface WatchOptions extends FileOptions {
  /** How long to watch, in milliseconds. Default 0: until it is stopped (the official SDK stops after 60 s). */
  timeoutMs?: number;
  /** Watches all directories below as well, also those that are made later (envd 0.1.4). Default false. */
  recursive?: boolean;
  /** Has each event tell what is known of its entry (envd 0.6.3). Default false. */
  includeEntry?: boolean;
  /** Watches on a network mount too, where events may be missing (envd 0.6.4). Default false: that is refused. */
  allowNetworkMounts?: boolean;
  /**
   * For how long to try to come back to a stream that was lost, in milliseconds; 0 ends the watch with the error. Default
   * 60 000; for an `onEvent` without an `onGap` 0, as what was missed would go unseen.
   */
  reconnectMs?: number;
  /** Hears of each time that a lost stream is back, once it is: a listing made now misses nothing. */
  onGap?: (gap: WatchGap) => void | Promise<void>;
  /** Hears once that the watch is over: of the error that ended it, or of none when it was stopped. */
  onExit?: (error?: Error) => void | Promise<void>;
}

export const watchRules: Rules<WatchOptions> = {
  ...fileRules,
  timeoutMs: milliseconds,
  recursive: flag,
  includeEntry: flag,
  allowNetworkMounts: flag,
  reconnectMs: milliseconds,
  onGap: callback,
  onExit: callback,
};
