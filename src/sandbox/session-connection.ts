import { openLiveChannel } from '../channel/live-channel.js';
import { openSocketChannel } from '../channel/socket-channel.js';
import { type E2BEdgeError, InvalidArgumentError } from '../errors.js';
import { absoluteUrl } from '../transport/absolute-url.js';
import { callback, checkOptions } from '../transport/check-options.js';
import { type ClientOptions, clientOptions, clientRules } from '../transport/client-options.js';
import { Connection } from '../transport/connection.js';
import { fixedCredential } from '../transport/credential.js';
import { SessionCredential } from '../transport/session-credential.js';
import { firstSession, type SessionSource } from '../transport/session-source.js';
import { type DirectSession, isDirect, type Session } from '../wire/session.js';
import type { ChannelOpeners } from './pty.js';
import type { SandboxParts } from './sandbox-parts.js';
import { SessionControl } from './session-control.js';

export interface SessionConnectOptions extends ClientOptions {
  /**
   * A session of your broker, or a function that gets one. The function is called again, with the sandbox's id, when the
   * broker would not refresh the session before; what it throws then is what calls fail with, and the next one asks it
   * again.
   */
  session: SessionSource;
  /**
   * Called once, when the session is over for good: it was revoked or ended (code `session_revoked`), or it was given as a
   * value and the broker would not refresh it (`session_expired`). All that is under way has failed with the same error.
   */
  onSessionEnd?: (error: E2BEdgeError) => void;
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
    onSessionEnd: callback,
  });
  const session = await firstSession(options.session, options);
  return isDirect(session) ? directParts(session, options) : sessionParts(session, options);
}

function sessionParts(session: Session, options: SessionConnectOptions): SandboxParts {
  const client = clientOptions(options);
  const credential = new SessionCredential(session, options.session, client, options.onSessionEnd);
  const { sandboxId, envdVersion, urls } = session;
  const baseUrl = absoluteUrl(urls.envd).replace(/\/+$/, '');
  const connection = new Connection({
    sandboxId,
    envdVersion,
    baseUrl,
    credential,
    client,
    streamingUploads: false,
  });
  return {
    connection,
    session: new SessionControl(credential, client),
    channels: {
      connect: (target, _size, call) => openLiveChannel(connection, target, call),
      websocket: socketOpener(absoluteUrl(urls.pty), credential, connection, client),
    },
  };
}

/** A terminal by WebSocket keeps the session fresh, and hears first when it is revoked. */
function socketOpener(
  url: string,
  credential: SessionCredential,
  { requestTimeoutMs }: Connection,
  { WebSocket }: ClientOptions,
): NonNullable<ChannelOpeners['websocket']> {
  return async (target, size, call) => {
    let token = '';
    try {
      const channel = await openSocketChannel({
        url,
        token: async ({ refresh }) => {
          token = refresh ? await credential.renewedToken(token) : await credential.token();
          return token;
        },
        target,
        size,
        attach: (onEnd, onToken) =>
          credential.attach(onEnd, (renewed) => {
            token = renewed;
            onToken(renewed);
          }),
        ...(WebSocket && { WebSocket }),
        ...(call.signal && { signal: call.signal }),
        openTimeoutMs: call.requestTimeoutMs ?? requestTimeoutMs,
      });
      channel.onStatus((status) => {
        if (status.state === 'closed') credential.heed(status.error);
      });
      return channel;
    } catch (error) {
      credential.heed(error);
      throw error;
    }
  };
}

/** Straight to envd: there is no broker that could do more than it does. */
function directParts(session: DirectSession, options: SessionConnectOptions): SandboxParts {
  const { sandboxId, envdVersion, direct } = session;
  const baseUrl = direct.envdUrl.replace(/\/+$/, '');
  const connection = new Connection({
    sandboxId,
    envdVersion,
    baseUrl,
    credential: fixedCredential(direct.headers),
    client: clientOptions(options),
    streamingUploads: false,
  });
  return {
    connection,
    files: {
      baseUrl,
      envdVersion,
      envdAccessToken: new Headers(direct.headers).get('x-access-token') ?? undefined,
    },
    channels: { connect: (target, _size, call) => openLiveChannel(connection, target, call) },
  };
}
