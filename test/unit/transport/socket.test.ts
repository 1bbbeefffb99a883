import { describe, expect, it } from 'vitest';
import { openSocket, type SocketLoss, type SocketOptions } from '../../../src/transport/socket.js';

const options: SocketOptions = {
  url: async () => 'ws://127.0.0.1:1/',
  protocol: 'p',
  onOpen: () => {},
  onMessage: () => {},
  onLoss: () => {},
};

describe('a socket', () => {
  it('needs a WebSocket', () => {
    const { WebSocket } = globalThis;
    // @ts-expect-error: as in Node before 22
    delete globalThis.WebSocket;
    try {
      expect(() => openSocket(options)).toThrow(expect.objectContaining({ code: 'websocket_missing' }));
    } finally {
      if (WebSocket) globalThis.WebSocket = WebSocket;
    }
  });

  it('reports each attempt whose constructor throws, waits in between, and ends when it is closed in there', async () => {
    const waits: number[] = [];
    const losses: SocketLoss[] = [];
    await new Promise<void>((resolve) => {
      const socket = openSocket({
        ...options,
        WebSocket: class {
          constructor() {
            throw new DOMException('an insecure address in a secure page', 'SecurityError');
          }
        },
        backoff: { next: () => waits.push(waits.length), reset: () => {} },
        onLoss: (loss) => {
          losses.push(loss);
          if (losses.length < 3) return;
          socket.close();
          resolve();
        },
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(losses).toHaveLength(3);
    expect(losses[0]).toMatchObject({ code: 1000, opened: false, error: { message: /insecure/ } });
    expect(waits).toHaveLength(2);
  });

  it('tries at once when it is asked to, though it waits', async () => {
    let attempts = 0;
    await new Promise<void>((resolve) => {
      const socket = openSocket({
        ...options,
        WebSocket: class {},
        backoff: { next: () => 3_600_000, reset: () => {} },
        url: async () => {
          attempts++;
          if (attempts === 1) setTimeout(() => socket.retry(), 20);
          if (attempts === 2) setTimeout(() => socket.close(), 0);
          if (attempts === 2) resolve();
          throw new TypeError('Failed to fetch');
        },
      });
    });
    expect(attempts).toBe(2);
  });
});
