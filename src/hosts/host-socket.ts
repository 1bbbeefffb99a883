import type { RelaySocket } from '../relay/relay-api.js';

/** A WebSocket that a host has accepted, whatever it is for: what a relay takes, and messages of text. */
export interface HostSocket extends RelaySocket {
  /** Sends one message. Does nothing once the socket is closed. */
  send(data: Uint8Array | string): void;
  /** Called once, whatever closed the socket; with the other end's code and reason where it gave them. */
  onClose: (code?: number, reason?: string) => void;
}
