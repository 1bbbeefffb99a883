import type { PtyUpgrade } from '../broker/pty-access.js';
import type { Relay } from '../relay/relay-api.js';
import type { HostSocket } from './host-socket.js';

/** Hands an open socket to what it was judged to be for, or closes it with the reason why it is for nothing. */
export function serveSocket(socket: HostSocket, { close, sandboxId, trace }: PtyUpgrade, relay: Relay): void {
  if (close) socket.close(close.code, close.reason);
  else relay.accept(socket, sandboxId, trace);
}
