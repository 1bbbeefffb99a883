/** A WebSocket that comes back: partysocket, with the waits, the address and the end decided here. */

import ReconnectingWebSocket from 'partysocket/ws';
import { InvalidArgumentError } from '../errors.js';
import { type Backoff, createBackoff } from './backoff.js';

/** The standard's constructor, or one that behaves like it, as that of the package `ws`. */
export type WebSocketConstructor = new (url: string, protocols?: string | string[]) => object;

/** An attempt that failed, or a connection that ended. */
export interface SocketLoss {
  /** The close code; 1000 also for what partysocket makes up for a refused or broken connection. */
  code: number;
  /** Whether the socket had been open. */
  opened: boolean;
  /** What `url` or the constructor threw, if that was it. */
  error?: unknown;
}

export interface SocketOptions {
  /** Asked anew for each attempt. A rejection is a failed attempt. */
  url: () => Promise<string>;
  protocol: string;
  /** Needed where there is no global one: Node before 22. */
  WebSocket?: WebSocketConstructor | undefined;
  backoff?: Backoff;
  /** How long a socket may take to open, in milliseconds. Default 15 000. */
  connectTimeoutMs?: number;
  onOpen: () => void;
  onMessage: (message: Uint8Array | string) => void;
  /** Called before the next attempt is prepared; `close()` in here is the end. */
  onLoss: (loss: SocketLoss) => void;
}

export interface Socket {
  /** Sends now, or drops where the socket is not open: what must arrive is sent again by the protocol above. */
  send(message: Uint8Array): void;
  /** Ends the wait, or the attempt under way, and tries at once. */
  retry(): void;
  /** Gives up the connection, which is thought dead, and makes a new one. */
  replace(): void;
  /** Waits at least so long before the next attempt. For use in `onLoss`. */
  holdOff(ms: number): void;
  /** The connection has proven itself: the next wait is short again. */
  settled(): void;
  close(code?: number): void;
}

/**
 * @throws {InvalidArgumentError} code `websocket_missing` where there is no WebSocket; `invalid_url` reaches
 * `onLoss` where the address is none.
 */
export function openSocket(options: SocketOptions): Socket {
  const WebSocket = options.WebSocket ?? globalThis.WebSocket;
  if (!WebSocket) {
    throw new InvalidArgumentError(
      'This runtime has no WebSocket. Pass one, as `WebSocket` of the package "ws" in Node before 22.',
      { code: 'websocket_missing' },
    );
  }
  return new PartySocket(options, WebSocket);
}

class PartySocket implements Socket {
  readonly #options: SocketOptions;
  readonly #backoff: Backoff;
  readonly #party: ReconnectingWebSocket;
  #phase: 'waiting' | 'connecting' | 'open' | 'closed' = 'waiting';
  /** The next attempt waits; the first one, and one that was asked for, do not. */
  #waits = false;
  #holdOffMs = 0;
  #endWait: (() => void) | undefined;

  constructor(options: SocketOptions, WebSocket: WebSocketConstructor) {
    this.#options = options;
    this.#backoff = options.backoff ?? createBackoff();
    this.#party = new ReconnectingWebSocket(() => this.#nextUrl(), options.protocol, {
      WebSocket,
      connectionTimeout: options.connectTimeoutMs ?? 15_000,
      // Its queue is flushed before "open", ahead of the protocol's first message.
      maxEnqueuedMessages: 0,
      // The waits are in #nextUrl, because partysocket's own cannot be ended early.
      minReconnectionDelay: 0,
      maxReconnectionDelay: 0,
      // Here, because its listeners run when the next attempt is already under way.
      shouldReconnectOnClose: (event) => {
        this.#lost(event.code);
        return this.#phase !== 'closed';
      },
    });
    this.#party.binaryType = 'arraybuffer';
    // Listeners and not `onopen`: partysocket calls that itself, and workerd's dispatchEvent calls it once more.
    this.#party.addEventListener('open', () => {
      this.#phase = 'open';
      options.onOpen();
    });
    this.#party.addEventListener('message', ({ data }) => {
      if (this.#phase === 'open') options.onMessage(typeof data === 'string' ? data : new Uint8Array(data));
    });
    // Where the constructor throws (a page with TLS, an address without) there is no close event. And not a listener,
    // because those get a copy of the event without the error; a second call does nothing.
    this.#party.onerror = ({ error }) => this.#lost(1000, error);
  }

  send(message: Uint8Array): void {
    // A cast for what TypeScript keeps apart: the bytes of a message are never in shared memory.
    if (this.#phase === 'open') this.#party.send(message as Uint8Array<ArrayBuffer>);
  }

  retry(): void {
    this.#waits = false;
    this.#endWait?.();
    if (this.#phase === 'connecting') this.#party.reconnect();
  }

  replace(): void {
    if (this.#phase !== 'open') return;
    this.#waits = false;
    this.#party.reconnect();
  }

  holdOff(ms: number): void {
    this.#holdOffMs = ms;
  }

  settled(): void {
    this.#backoff.reset();
  }

  close(code = 1000): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#endWait?.();
    this.#party.close(code);
  }

  async #nextUrl(): Promise<string> {
    while (!this.#closed()) {
      await this.#wait();
      if (this.#closed()) break;
      try {
        const url = webSocketUrl(await this.#options.url());
        if (!this.#closed()) this.#phase = 'connecting';
        return url;
      } catch (error) {
        this.#options.onLoss({ code: 1000, opened: false, error });
      }
    }
    // partysocket drops it: it looks whether it was closed before it connects.
    return '';
  }

  async #wait(): Promise<void> {
    const wait = this.#waits ? Math.max(this.#backoff.next(), this.#holdOffMs) : 0;
    this.#waits = true;
    this.#holdOffMs = 0;
    if (wait === 0) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#endWait = undefined;
        resolve();
      };
      const timer = setTimeout(end, wait);
      this.#endWait = end;
    });
  }

  #lost(code: number, error?: unknown): void {
    if (this.#phase !== 'connecting' && this.#phase !== 'open') return;
    const opened = this.#phase === 'open';
    this.#phase = 'waiting';
    this.#options.onLoss(error === undefined ? { code, opened } : { code, opened, error });
  }

  // A method, because TypeScript takes a field for unchanged across an await.
  #closed(): boolean {
    return this.#phase === 'closed';
  }
}

/** Sessions name their addresses with `https:`; not every WebSocket takes that. */
function webSocketUrl(address: string): string {
  const url = address.replace(/^http/i, 'ws');
  if (!/^wss?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    throw new InvalidArgumentError(`"${address}" is not an address for a WebSocket (ws: or wss:).`, {
      code: 'invalid_url',
    });
  }
  return url;
}
