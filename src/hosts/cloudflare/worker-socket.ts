import type { HostSocket } from '../host-socket.js';
import { webSocketHost } from '../web-socket.js';
import type { WorkerWebSocket } from './workers-types.js';

/** Accepts the server's end of a WebSocketPair. */
export function workerSocket(socket: WorkerWebSocket): HostSocket {
  socket.accept();
  socket.addEventListener('close', ({ code }: CloseEvent) => {
    // workerd leaves the closing handshake to be finished here; 1005 and 1006 are not to be sent.
    socket.close(code >= 3000 || code === 1000 ? code : 1000);
  });
  return webSocketHost(socket);
}
