import type { RawData, WebSocket } from 'ws';
import type { HostSocket } from '../host-socket.js';

/** A socket of the package `ws`. */
export function wsSocket(socket: WebSocket): HostSocket {
  const hostSocket: HostSocket = {
    send: (data) => {
      if (socket.readyState === socket.OPEN) socket.send(data);
    },
    close: (code, reason) => socket.close(code, reason),
    bufferedAmount: () => socket.bufferedAmount,
    onMessage: () => undefined,
    onClose: () => undefined,
  };
  socket.on('message', (data: RawData, isBinary: boolean) => {
    const bytes = data as Buffer;
    hostSocket.onMessage(
      isBinary ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes.toString(),
    );
  });
  socket.once('close', () => hostSocket.onClose());
  // Each error is followed by a close.
  socket.on('error', () => undefined);
  return hostSocket;
}
