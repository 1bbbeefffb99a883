import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Fate, Trouble } from './fate.js';
import { Leg } from './leg.js';

/** A trouble that happened: in which frame, or -1 for the upgrade, and how many bytes into it. */
export interface Happened {
  does: Trouble['does'];
  direction: 'up' | 'down';
  frame: number;
  into: number;
}

interface Pair {
  sockets: [Socket, Socket];
  legs: [Leg, Leg];
}

/** A proxy that breaks connections on purpose. */
export class TcpProxy {
  connections = 0;
  /** What came from the server, over all connections. */
  bytesDown = 0;
  /** What came from clients. */
  bytesUp = 0;
  /** The troubles that happened, in turn. */
  readonly troubles: Happened[] = [];
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #fate: (connection: number) => Fate;
  #target: number;
  #isStalled = false;

  private constructor(port: number, fate: (connection: number) => Fate) {
    this.#target = port;
    this.#fate = fate;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#join(client));
  }

  /** @param fate what becomes of each connection, counted from 0. */
  static async listen(port: number, fate: (connection: number) => Fate = () => ({})): Promise<TcpProxy> {
    const proxy = new TcpProxy(port, fate);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Troubles that a connection does not outlive. */
  get cuts(): number {
    return this.troubles.filter(({ does }) => does !== 'stall').length;
  }

  /** New connections go to another port. */
  retarget(port: number): void {
    this.#target = port;
  }

  /** Lets nothing through any more, and closes nothing: a cable that is pulled. */
  stall(): void {
    this.#isStalled = true;
    for (const { legs } of this.#pairs) for (const leg of legs) leg.hold();
  }

  /** New connections pass again; the stalled ones stay dead. */
  unstall(): void {
    this.#isStalled = false;
  }

  cutAll(): void {
    for (const pair of [...this.#pairs]) this.#end(pair, 'cut');
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    const { up = {}, down = {} } = this.#fate(this.connections);
    this.connections++;
    const join = (direction: 'up' | 'down'): Leg => {
      const [from, to] = direction === 'up' ? [client, server] : [server, client];
      return new Leg(from, to, direction === 'up' ? up : down, {
        onBytes: (count) => {
          if (direction === 'up') this.bytesUp += count;
          else this.bytesDown += count;
        },
        onTrouble: ({ does }, frame, into) => this.troubles.push({ does, direction, frame, into }),
        onEnd: (how) => this.#end(pair, how),
      });
    };
    const pair: Pair = { sockets: [client, server], legs: [join('up'), join('down')] };
    this.#pairs.add(pair);
    for (const socket of pair.sockets) {
      socket.on('error', () => {});
      socket.on('close', () => this.#end(pair, 'cut'));
    }
    if (this.#isStalled) for (const leg of pair.legs) leg.hold();
  }

  #end(pair: Pair, how: 'cut' | 'reset'): void {
    if (!this.#pairs.delete(pair)) return;
    for (const socket of pair.sockets) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.destroy();
    }
  }
}
