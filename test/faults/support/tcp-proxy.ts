import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to one connection. Bytes are those of TCP: the upgrade and WebSocket's own headers count too. */
export interface Fate {
  /** Cut after so many bytes from the client. */
  cutAfterUp?: number;
  /** Cut after so many bytes from the server. */
  cutAfterDown?: number;
}

/** A proxy that breaks connections on purpose. */
export class TcpProxy {
  connections = 0;
  cuts = 0;
  /** What came from the server, over all connections. */
  bytesDown = 0;
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  readonly #fate: (connection: number) => Fate;
  #stalled = false;

  private constructor(port: number, fate: (connection: number) => Fate) {
    this.#fate = fate;
    this.#server = createServer((client) => this.#join(client, connect(port, '127.0.0.1')));
  }

  static async listen(port: number, fate: (connection: number) => Fate = () => ({})): Promise<TcpProxy> {
    const proxy = new TcpProxy(port, fate);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Lets nothing through any more, and closes nothing: a cable that is pulled. */
  stall(): void {
    this.#stalled = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** New connections pass again; the stalled ones stay dead. */
  unstall(): void {
    this.#stalled = false;
  }

  cutAll(): void {
    for (const pair of [...this.#pairs]) this.#cut(pair);
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, server: Socket): void {
    const { cutAfterUp = Infinity, cutAfterDown = Infinity } = this.#fate(this.connections);
    this.connections++;
    const pair: [Socket, Socket] = [client, server];
    this.#pairs.add(pair);
    this.#pipe(client, server, cutAfterUp, pair);
    this.#pipe(server, client, cutAfterDown, pair);
    if (this.#stalled) for (const socket of pair) socket.pause();
  }

  #pipe(from: Socket, to: Socket, limit: number, pair: [Socket, Socket]): void {
    let left = limit;
    from.setNoDelay(true);
    from.on('error', () => {});
    from.on('close', () => this.#cut(pair));
    from.on('data', (data) => {
      if (!this.#pairs.has(pair)) return;
      const part = data.subarray(0, left);
      left -= part.length;
      if (from === pair[1]) this.bytesDown += part.length;
      if (left > 0) {
        if (!to.write(part)) {
          from.pause();
          to.once('drain', () => this.#stalled || from.resume());
        }
        return;
      }
      this.cuts++;
      from.pause();
      // What was let through shall arrive: a reset would take it back.
      to.end(part, () => this.#cut(pair));
    });
  }

  #cut(pair: [Socket, Socket]): void {
    if (!this.#pairs.delete(pair)) return;
    for (const socket of pair) socket.destroy();
  }
}
