import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { connect, type Socket } from 'node:net';

/** Where a service of the sandbox may listen. One that listens on all addresses is found at the first. */
const loopback = ['127.0.0.1', '::1'] as const;

/**
 * Answers an HTTP/2 `CONNECT`: the stream becomes a connection to a port of the sandbox, which can be half closed
 * like any other. It is the way in for what comes from outside; a client cannot ask for it, because proxies take
 * `CONNECT` for themselves. 502 when nothing listens there.
 */
export async function portTunnel(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
  const port = Number(request.authority.split(':').at(-1));
  const { stream } = response;
  let socket: Socket;
  try {
    socket = await connectLoopback(port);
  } catch {
    if (!stream.destroyed) stream.respond({ ':status': 502 }, { endStream: true });
    return;
  }
  if (stream.destroyed) {
    socket.destroy();
    return;
  }
  stream.respond({ ':status': 200 });
  stream.pipe(socket).pipe(stream);
  // A reset is passed on as one, in both directions: what was cut off must not look whole. `close(code)` would not do,
  // for it ends the stream first.
  socket.once('error', (error) => stream.destroy(error));
  stream.once('error', () => socket.resetAndDestroy());
  stream.once('aborted', () => socket.resetAndDestroy());
  stream.once('close', () => socket.destroy());
}

async function connectLoopback(port: number): Promise<Socket> {
  const [first, second] = loopback;
  return connected(port, first).catch(() => connected(port, second));
}

function connected(port: number, host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
