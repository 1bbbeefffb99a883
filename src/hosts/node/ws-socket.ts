import type { RawData, WebSocket } from 'ws';
import type { RelaySocket } from '../../relay/relay-api.js';

/** A socket of the package `ws` as the relay knows them. */
export function wsSocket(socket: WebSocket): RelaySocket {
  const relaySocket: RelaySocket = {
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
    relaySocket.onMessage(
      isBinary ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes.toString(),
    );
  });
  socket.once('close', () => relaySocket.onClose());
  // Each error is followed by a close.
  socket.on('error', () => undefined);
  return relaySocket;
}
