import type { RelaySocket } from '../../relay/relay-api.js';
import type { WorkerWebSocket } from './workers-types.js';

/** A WebSocket of a Worker as the relay knows them. */
export function workerSocket(socket: WorkerWebSocket): RelaySocket {
  // From compatibility date 2026-05-01 on the default is `blob`.
  socket.binaryType = 'arraybuffer';
  socket.accept();
  const relaySocket: RelaySocket = {
    send: (data) => {
      if (socket.readyState === 1) socket.send(data as Uint8Array<ArrayBuffer>);
    },
    close: (code, reason) => socket.close(code, reason),
    // workerd does not tell.
    bufferedAmount: () => 0,
    onMessage: () => undefined,
    onClose: () => undefined,
  };
  let closed = false;
  const onEnd = (): void => {
    if (closed) return;
    closed = true;
    relaySocket.onClose();
  };
  socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer | string>) => {
    relaySocket.onMessage(typeof data === 'string' ? data : new Uint8Array(data));
  });
  socket.addEventListener('close', ({ code }: CloseEvent) => {
    // workerd leaves the closing handshake to be finished here; 1005 and 1006 are not to be sent.
    socket.close(code >= 3000 || code === 1000 ? code : 1000);
    onEnd();
  });
  socket.addEventListener('error', onEnd);
  return relaySocket;
}
