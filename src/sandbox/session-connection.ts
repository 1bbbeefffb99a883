import { openLiveChannel } from '../channel/live-channel.js';
import { openSocketChannel } from '../channel/socket-channel.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptions } from '../transport/check-options.js';
import { type ClientOptions, clientOptions, clientRules } from '../transport/client-options.js';
import { Connection } from '../transport/connection.js';
import { abortable } from '../transport/deadline.js';
import { endSession } from '../transport/end-session.js';
import { absoluteUrl, SessionCredential, type SessionSource } from '../transport/session-credential.js';
import type { SandboxParts } from './sandbox-parts.js';

export interface SessionConnectOptions extends ClientOptions {
  /**
   * A session of your broker, or a function that gets one. It is called again, with the sandbox's id, when the broker
   * would not refresh the session before.
   */
  session: SessionSource;
}

/** Gets the session and joins everything that uses it. */
export async function openSession(options: SessionConnectOptions): Promise<SandboxParts> {
  if (!options?.session) {
    throw new InvalidArgumentError(
      'Sandbox.connect: no session. Pass { session } with a session of your broker or a function that gets one.',
      { code: 'invalid_session' },
    );
  }
  checkOptions('Sandbox.connect', options, {
    ...clientRules,
    session: ['a session, or a function that gets one', (value) => /object|function/.test(typeof value)],
  });
  const { WebSocket } = options;
  const client = clientOptions(options);
  const credential = await abortable(SessionCredential.obtain(options.session, client), options.signal);
  const { sandboxId, envdVersion, urls } = credential.session;
  const baseUrl = absoluteUrl(urls.envd).replace(/\/+$/, '');
  const connection = new Connection({
    sandboxId,
    envdVersion,
    baseUrl,
    credential,
    client,
    streamingUploads: false,
  });
  const socketUrl = absoluteUrl(urls.pty).replace(/^http/, 'ws');
  return {
    connection,
    kill: (call) => endSession(credential, client, call),
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
