import type { WebSocketConstructor } from '../transport/socket.js';
import type { PtySize, PtyTarget } from './channel.js';

/** How to reach a terminal through a relay. */
export interface SocketChannelOptions {
  /** The address of the relay for the sandbox (`ws:`, `wss:`, `http:` or `https:`); a function is asked for each attempt. */
  url: string | (() => string | Promise<string>);
  /** The session's token, asked for at each attempt; with `refresh` the relay refused the last one. */
  token: (request: { refresh: boolean }) => string | Promise<string>;
  target: PtyTarget;
  size: PtySize;
  /** A reader watches: it never holds the terminal back, and cannot type or resize. Default `write`. */
  mode?: 'write' | 'read';
  /** How much output may be on its way or unread, in bytes. Default 262 144. */
  windowBytes?: number;
  /** Who this is to the relay: one a page context. A random one if absent. */
  clientId?: string;
  /** How long what is typed while the link is down is kept, in milliseconds. Default 5 000. */
  heldInputMs?: number;
  /** How long the terminal may take to open, in milliseconds; 0 is without end. Default 60 000. */
  openTimeoutMs?: number;
  /** Between two PINGs, in milliseconds. Default 15 000. */
  pingIntervalMs?: number;
  /** How long a PING may go without an answer, in milliseconds. Default 10 000. */
  pingTimeoutMs?: number;
  /** Needed where there is no global one: Node before 22. */
  WebSocket?: WebSocketConstructor;
  /** Gives up the opening; an open channel is closed with `close()`. */
  signal?: AbortSignal;
  /**
   * Told of the channel's beginning, with what ends it, and with what gives the relay a new token before the old one ends;
   * returns what is called at its end.
   */
  attach?: (onEnd: (error: Error) => void, onToken: (token: string) => void) => () => void;
}
