import { openLiveChannel } from '../channel/live-channel.js';
import { openSocketChannel } from '../channel/socket-channel.js';
import { InvalidArgumentError } from '../errors.js';
import type { FetchLike } from '../transport/authorized-fetch.js';
import { Connection } from '../transport/connection.js';
import { endSession } from '../transport/end-session.js';
import { absoluteUrl, SessionCredential, type SessionSource } from '../transport/session-credential.js';
import type { SandboxParts } from './sandbox-parts.js';

export interface SessionConnectOptions {
  /**
   * A session of your broker, or a function that gets one. It is called again, with the sandbox's id, when the broker
   * would not refresh the session before.
   */
  session: SessionSource;
  /** The default of `requestTimeoutMs` for all calls, in milliseconds. Default 60 000. */
  requestTimeoutMs?: number;
  /** In the place of the global `fetch`. */
  fetch?: FetchLike;
  /** In the place of the global `WebSocket`, which Node 20 lacks. */
  WebSocket?: typeof WebSocket;
}

/** Gets the session and joins everything that uses it. */
export async function openSession(options: SessionConnectOptions): Promise<SandboxParts> {
  if (!options?.session) {
    throw new InvalidArgumentError(
      'Sandbox.connect: no session. Pass { session } with a session of your broker or a function that gets one.',
      { code: 'invalid_session' },
    );
  }
  const { fetch, requestTimeoutMs, WebSocket } = options;
  const credential = await SessionCredential.obtain(options.session, fetch);
  const { sandboxId, envdVersion, urls } = credential.session;
  const baseUrl = absoluteUrl(urls.envd).replace(/\/+$/, '');
  const connection = new Connection({
    sandboxId,
    envdVersion,
    baseUrl,
    credential,
    fetch,
    requestTimeoutMs,
    streamingUploads: false,
  });
  const socketUrl = absoluteUrl(urls.pty).replace(/^http/, 'ws');
  return {
    connection,
    kill: (call) => endSession(credential, fetch, { requestTimeoutMs: connection.requestTimeoutMs, ...call }),
    channels: {
      connect: (target, _size, call) => openLiveChannel(connection, target, call),
      websocket: (target, size, call) => {
        let token = '';
        return openSocketChannel({
          url: socketUrl,
          token: async ({ refresh }) => {
            token = refresh ? await credential.renewedToken(token) : await credential.token();
            return token;
          },
          target,
          size,
          ...(WebSocket && { WebSocket }),
          ...(call.signal && { signal: call.signal }),
          openTimeoutMs: call.requestTimeoutMs ?? connection.requestTimeoutMs,
        });
      },
    },
  };
}
