import type { ITheme } from '@xterm/xterm';
import type { ChannelMode } from '../channel/channel.js';
import type { TerminalLabels } from './labels.js';

/** How a terminal is: `reconnecting` heals by itself, `exited` and `closed` stay. */
export type TerminalStatus =
  | { state: 'connecting' }
  | TerminalOpen
  | { state: 'reconnecting'; attempt: number; error?: Error }
  | { state: 'exited'; exitCode: number; status: string }
  | { state: 'closed'; error?: unknown };

/** A terminal that works; also one whose user only watches, since another window has taken over. */
export interface TerminalOpen {
  state: 'open';
  pid: number;
  mode: ChannelMode;
  /** Whether `takeOver` is offered to one who watches: not where the session may only watch. */
  mayWrite: boolean;
}

/** What a terminal is opened with. */
export interface OpenTerminalOptions {
  /** The process id of a running shell to go back to. Default: a new shell. */
  pid?: number;
  /** The working directory of a new shell; the template's if absent. */
  cwd?: string;
  /** Environment variables for a new shell. */
  envs?: Record<string, string>;
  /** How long a new shell may live, in milliseconds. Default: no limit. */
  timeoutMs?: number;
  /** Colours. Default: a dark or a light set, as the user prefers, changing with it. */
  theme?: ITheme;
  /** In CSS pixels. Default 14. */
  fontSize?: number;
  /** Default: the system's monospace fonts. */
  fontFamily?: string;
  /** How many lines above the screen are kept. Default 5000. */
  scrollback?: number;
  /** Makes the screen readable to screen readers; costs speed. Default false. */
  screenReaderMode?: boolean;
  /** Offers a button that starts a new shell when this one has ended. Default false. */
  restart?: boolean;
  /** Other words, or another language. */
  labels?: Partial<TerminalLabels>;
  /** Called with the first status and at each change. */
  onStatus?: (status: TerminalStatus) => void;
  /** Gives up opening: `openTerminal` rejects with the signal's reason. It does nothing to an open terminal. */
  signal?: AbortSignal;
  /** How long opening may take, in milliseconds. Default 60 000; 0 waits for ever. */
  requestTimeoutMs?: number;
}
