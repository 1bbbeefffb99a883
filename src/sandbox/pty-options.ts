import type { PtyCreate, PtySize } from '../channel/channel.js';
import type { CallOptions } from '../transport/call-options.js';
import { callback, callRules, milliseconds, oneOf, type Rules } from '../transport/check-options.js';
import { cells, directory, environment, linuxUser } from './process-rules.js';

/**
 * How the bytes of a terminal travel. `websocket`: through a broker, surviving dropped connections without losing a
 * byte. `connect`: straight by envd's RPC, where a dropped connection leaves a declared gap.
 */
export type PtyTransport = 'websocket' | 'connect';

interface PtyListenOptions extends CallOptions {
  /** Gets the output; if asynchronous, the next piece waits for it. Without it, loop over the handle. */
  onData?: (data: Uint8Array) => void | Promise<void>;
  /** Default `websocket` for a session whose broker offers it, else `connect`. */
  transport?: PtyTransport;
}

/** `timeoutMs` has no default: the official SDK kills terminals after 60 s. */
export interface PtyCreateOptions extends PtyListenOptions, PtySize, Omit<PtyCreate, 'size'> {}

export interface PtyConnectOptions extends PtyListenOptions, Partial<PtySize> {
  /** How long to listen, in milliseconds; the terminal lives on. Default 0: until its end (in the official SDK 60 000). */
  timeoutMs?: number;
}

/** A size alone, for `resize`. */
export const sizeRules: Rules<PtySize> = { cols: cells, rows: cells };

export const connectRules: Rules<PtyConnectOptions> = {
  ...callRules,
  ...sizeRules,
  onData: callback,
  transport: oneOf('websocket', 'connect'),
  timeoutMs: milliseconds,
};

export const createRules: Rules<PtyCreateOptions> = {
  ...connectRules,
  cwd: directory,
  user: linuxUser,
  envs: environment,
};
