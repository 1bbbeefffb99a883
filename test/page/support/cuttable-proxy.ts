import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy whose connections a test can cut, and that keeps what went through it. */
export interface CuttableProxy {
  readonly port: number;
  /** Cuts all connections, as a network that goes away does. New ones are accepted. */
  cut(): void;
  /** Cuts all connections and refuses new ones until `heal`. */
  breakDown(): void;
  heal(): void;
  /** All bytes so far of both directions, of each connection in turn. */
  recorded(): Buffer;
  close(): Promise<void>;
}

/** @param target a port of this machine. */
export async function startCuttableProxy(target: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  const recordings: Buffer[][] = [];
  let broken = false;

  const server = createServer((client) => {
    if (broken) {
      client.destroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    const recording: [Buffer[], Buffer[]] = [[], []];
    recordings.push(...recording);
    client.on('data', (chunk) => recording[0].push(chunk));
    upstream.on('data', (chunk) => recording[1].push(chunk));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };

  return {
    port: (server.address() as { port: number }).port,
    cut,
    breakDown() {
      broken = true;
      cut();
    },
    heal() {
      broken = false;
    },
    recorded: () => Buffer.concat(recordings.flat()),
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
