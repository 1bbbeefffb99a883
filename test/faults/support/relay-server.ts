import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Channel, PtyTarget } from '../../../src/channel/channel.js';
import { AuthenticationError } from '../../../src/errors.js';
import { createRelay } from '../../../src/relay/relay.js';
import type {
  Relay,
  RelayAccess,
  RelayLogEvent,
  RelayOptions,
  RelaySocket,
} from '../../../src/relay/relay-api.js';

/** What a test's token stands for: `subject` or `subject:read`. Anything beginning with `bad` is refused. */
export function accessFor(token: string, sandboxId: string, open: RelayAccess['open']): RelayAccess {
  if (token.startsWith('bad'))
    throw new AuthenticationError('The token was refused.', { code: 'session_refused' });
  const [subject = '', mode] = token.split(':');
  return {
    sandboxId,
    sessionId: `session-${subject}`,
    subject,
    mode: mode === 'read' ? 'read' : 'write',
    watch: () => () => undefined,
    open,
  };
}

/** A relay behind a real WebSocket server on loopback. */
export class RelayServer {
  readonly relay: Relay;
  readonly log: RelayLogEvent[] = [];
  readonly targets: PtyTarget[] = [];
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });

  private constructor(open: (target: PtyTarget) => Promise<Channel>, options: Partial<RelayOptions>) {
    const opened = (target: PtyTarget) => {
      this.targets.push(target);
      return open(target);
    };
    this.relay = createRelay({
      authorize: async (token, sandboxId) => accessFor(token, sandboxId, opened),
      log: (event) => this.log.push(event),
      ...options,
    });
    this.#http = createServer();
    this.#http.on('upgrade', (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        this.relay.accept(
          relaySocket(ws),
          new URL(request.url ?? '/', 'http://x').pathname.split('/').at(-1) ?? '',
        );
      });
    });
  }

  static async listen(
    open: (target: PtyTarget) => Promise<Channel>,
    options: Partial<RelayOptions> = {},
    port = 0,
  ): Promise<RelayServer> {
    const server = new RelayServer(open, options);
    await new Promise<void>((resolve) => server.#http.listen(port, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.relay.close();
    for (const socket of this.#sockets.clients) socket.terminate();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

function relaySocket(ws: WebSocket): RelaySocket {
  const socket: RelaySocket = {
    send: (data) => ws.readyState === ws.OPEN && ws.send(data),
    close: (code, reason) => ws.close(code, reason),
    bufferedAmount: () => ws.bufferedAmount,
    onMessage: () => {},
    onClose: () => {},
  };
  ws.on('message', (data, binary) => socket.onMessage(binary ? (data as Buffer) : data.toString()));
  ws.on('close', () => socket.onClose());
  ws.on('error', () => {});
  return socket;
}
