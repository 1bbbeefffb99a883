/** A terminal over a WebSocket, through a relay. */

import type { Channel } from './channel.js';
import { SocketClient } from './socket-client.js';
import type { SocketChannelOptions } from './socket-options.js';

/**
 * Opens a terminal through a relay, and resolves when the relay has welcomed it. An open channel heals every loss of
 * the network by itself; it ends with an error only for what cannot heal: the session is over, another window took
 * over, the process is gone.
 *
 * @throws {AuthenticationError} the token was refused, and a refreshed one too.
 * @throws {PermissionDeniedError} the session does not grant it.
 * @throws {NotFoundError} code `process_not_found`.
 * @throws {RateLimitError} too many sockets or terminals, and no room within `openTimeoutMs`.
 * @throws {ConnectionError} code `connection_failed`: five refused attempts in a row, or `openTimeoutMs` passed.
 */
export function openSocketChannel(options: SocketChannelOptions): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => channel.fail(signal?.reason);
    const settled = () => signal?.removeEventListener('abort', abort);
    const channel = new SocketClient(
      options,
      () => {
        settled();
        resolve(channel);
      },
      (error) => {
        settled();
        reject(error);
      },
    );
    signal?.addEventListener('abort', abort);
  });
}
