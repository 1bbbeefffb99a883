import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { SandboxError } from '../../errors.js';
import { createHttpServer, type RequestListener } from './http-server.js';

/** Where to listen: one address, or both that `localhost` and the names below it stand for. */
export type LoopbackHost = '127.0.0.1' | '::1' | 'localhost';

/** How often a port is looked for that is free at both addresses. */
const attempts = 10;

/** Listens on this machine's own addresses, which nobody else reaches. */
export class LoopbackServer {
  readonly port: number;
  readonly #servers: readonly Server[];
  readonly #sockets: Set<Socket>;

  private constructor(port: number, servers: readonly Server[], sockets: Set<Socket>) {
    this.port = port;
    this.#servers = servers;
    this.#sockets = sockets;
  }

  /**
   * Port 0 takes a free one. `listener` is called once the port is known.
   *
   * @throws `SandboxError` with code `port_in_use` or `listen_failed`.
   */
  static async listen(
    host: LoopbackHost,
    port: number,
    listener: (port: number) => RequestListener,
  ): Promise<LoopbackServer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await LoopbackServer.#listen(host, port, listener);
      } catch (error) {
        // A port that is free at one address may be taken at the other.
        if (port === 0 && isErrno(error, 'EADDRINUSE') && attempt < attempts) continue;
        throw listenError(error, port);
      }
    }
  }

  static async #listen(
    host: LoopbackHost,
    port: number,
    listener: (port: number) => RequestListener,
  ): Promise<LoopbackServer> {
    const sockets = new Set<Socket>();
    let known: RequestListener | undefined;
    const open = async (address: string, at: number): Promise<Server> => {
      const server = createHttpServer(() => {
        known ??= listener(portOf(server));
        return known;
      });
      server.on('connection', (socket: Socket) => {
        // A connection that is read again is no new one.
        if (sockets.has(socket)) return;
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      server.listen(at, address);
      await once(server, 'listening');
      return server;
    };
    const first = await open(host === 'localhost' ? '127.0.0.1' : host, port);
    const servers = [first];
    if (host === 'localhost') {
      try {
        servers.push(await open('::1', portOf(first)));
      } catch (error) {
        // Some machines have no IPv6, and then nobody can take that address either.
        if (!isErrno(error, 'EADDRNOTAVAIL') && !isErrno(error, 'EAFNOSUPPORT')) {
          first.close();
          throw error;
        }
      }
    }
    return new LoopbackServer(portOf(first), servers, sockets);
  }

  /** Stops listening and cuts every connection, those included that are not HTTP any more. */
  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function isErrno(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}

function listenError(error: unknown, port: number): SandboxError {
  if (isErrno(error, 'EADDRINUSE')) {
    const message = `port ${port} is already in use: choose another, or 0 for a free one`;
    return new SandboxError(message, { code: 'port_in_use', cause: error });
  }
  return new SandboxError((error as Error).message, { code: 'listen_failed', cause: error });
}
