import type { HostSocket } from '../host-socket.js';
import type { BunServerWebSocket } from './bun-types.js';

/** The `websocket` of `Bun.serve`: one for all sockets of a server, each of which brings what it is for as `data`. */
export interface BunWebSocketHandler {
  open(socket: BunServerWebSocket<BunSocket>): void;
  message(socket: BunServerWebSocket<BunSocket>, message: Uint8Array | ArrayBuffer | string): void;
  close(socket: BunServerWebSocket<BunSocket>, code: number, reason: string): void;
  maxPayloadLength: number;
  backpressureLimit: number;
}

/** A socket of Bun's. It is made before the upgrade, and its socket comes to it by {@link websocket}. */
export class BunSocket implements HostSocket {
  onMessage: HostSocket['onMessage'] = () => undefined;
  onClose: HostSocket['onClose'] = () => undefined;
  readonly #onOpen: (socket: HostSocket) => void;
  #socket: BunServerWebSocket<BunSocket> | undefined;

  /** @param onOpen called once the socket can be used. */
  constructor(onOpen: (socket: HostSocket) => void) {
    this.#onOpen = onOpen;
  }

  open(socket: BunServerWebSocket<BunSocket>): void {
    socket.binaryType = 'uint8array';
    this.#socket = socket;
    this.#onOpen(this);
  }

  send(data: Uint8Array | string): void {
    if (this.#socket?.readyState === 1) this.#socket.send(data as Uint8Array<ArrayBuffer>);
  }

  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }

  bufferedAmount(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }
}

export const websocket: BunWebSocketHandler = {
  open: (socket) => socket.data.open(socket),
  message: ({ data }, message) =>
    data.onMessage(message instanceof ArrayBuffer ? new Uint8Array(message) : message),
  close: ({ data }, code, reason) => data.onClose(code, reason),
  // A preview's; a terminal's are held to their own limit by the protocol.
  maxPayloadLength: 16 * 1024 * 1024,
  // What does not fit would be dropped in silence; who does not read is told to go long before.
  backpressureLimit: 64 * 1024 * 1024,
};
