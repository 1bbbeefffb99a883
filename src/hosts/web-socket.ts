import type { HostSocket } from './host-socket.js';

/** The server's end of a WebSocket of the web, as Deno and Workers have it. It has to be open. */
export function webSocketHost(socket: WebSocket): HostSocket {
  // Cloudflare's default is `blob` from compatibility date 2026-05-01 on.
  socket.binaryType = 'arraybuffer';
  const host: HostSocket = {
    send: (data) => {
      if (socket.readyState === 1) socket.send(data as Uint8Array<ArrayBuffer>);
    },
    close: (code, reason) => socket.close(code, reason),
    // workerd does not tell.
    bufferedAmount: () => (socket as Partial<WebSocket>).bufferedAmount ?? 0,
    onMessage: () => undefined,
    onClose: () => undefined,
  };
  let closed = false;
  const onEnd = (event: Partial<CloseEvent>): void => {
    if (closed) return;
    closed = true;
    host.onClose(event.code, event.reason);
  };
  socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer | string>) => {
    host.onMessage(typeof data === 'string' ? data : new Uint8Array(data));
  });
  socket.addEventListener('close', onEnd);
  socket.addEventListener('error', onEnd);
  return host;
}
