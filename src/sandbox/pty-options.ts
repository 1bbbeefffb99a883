import type { PtyCreate, PtySize } from '../channel/channel.js';
import type { CallOptions } from '../transport/call-options.js';
import {
  callback,
  callRules,
  milliseconds,
  oneOf,
  type Rule,
  type Rules,
  whole,
} from '../transport/check-options.js';
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
export interface PtyCreateOptions extends PtyListenOptions, PtySize, Omit<PtyCreate, 'size'> {
  /**
   * Whether all that the terminal prints is kept in a file of the sandbox, so that nothing of it is missed over lost
   * connections, and by who takes it up later. Without `timeoutMs`; by Connect with an API key alone. `'auto'`: where the sandbox can; the
   * handle's `durable` says whether it is. Default false.
   */
  durable?: boolean | 'auto';
  /** How much is kept, in bytes, for `durable`: after that it is a terminal like others. Default 64 MiB. */
  maxLogBytes?: number;
}

export interface PtyConnectOptions extends PtyListenOptions, Partial<PtySize> {
  /** How long to listen, in milliseconds; the terminal lives on. Default 0: until its end (in the official SDK 60 000). */
  timeoutMs?: number;
  /** The Linux user of a durable terminal. Default: the template's. */
  user?: string;
}

/** A size alone, for `resize`. */
export const sizeRules: Rules<PtySize> = { cols: cells, rows: cells };

export const connectRules: Rules<PtyConnectOptions> = {
  ...callRules,
  ...sizeRules,
  onData: callback,
  transport: oneOf('websocket', 'connect'),
  timeoutMs: milliseconds,
  user: linuxUser,
};

export const durableTerminal: Rule = [
  'a process id, or the durableId of a terminal',
  (value: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value),
];

export const createRules: Rules<PtyCreateOptions> = {
  ...connectRules,
  durable: ["true, false or 'auto'", (value) => value === 'auto' || typeof value === 'boolean'],
  maxLogBytes: whole(4096),
  cwd: directory,
  envs: environment,
};
