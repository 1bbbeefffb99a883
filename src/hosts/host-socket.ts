import type { RelaySocket } from '../relay/relay-api.js';

/** A WebSocket that a host has accepted, whatever it is for: what a relay takes, and messages of text. */
export interface HostSocket extends RelaySocket {
  /** Sends one message. Does nothing once the socket is closed. */
  send(data: Uint8Array | string): void;
}
