import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { drawFate } from './support/draw-fate.js';
import type { Fate, LegFate } from './support/fate.js';
import { TcpProxy } from './support/tcp-proxy.js';

/** One end of a connection, and what it saw. */
interface End {
  socket: Socket;
  received: Buffer;
  reads: number;
  ended: boolean;
  /** Whether it was closed by a reset. */
  isReset?: boolean;
}

const head = Buffer.from('GET /pty/sandbox HTTP/1.1\r\nupgrade: websocket\r\n\r\n');
const close = Buffer.from([0x88, 0x80, 1, 2, 3, 4]);
/** Frames of all three lengths of header, masked as a client's are; the last one is empty. */
const frames = [frame(5), frame(200), frame(70_000), close];
const stream = Buffer.concat([head, ...frames]);

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function frame(length: number): Buffer {
  const size = Buffer.alloc(length < 126 ? 0 : length < 65_536 ? 2 : 8);
  if (size.length === 2) size.writeUInt16BE(length);
  if (size.length === 8) size.writeBigUInt64BE(BigInt(length));
  const short = [125, 126, 127][[0, 2, 8].indexOf(size.length)] as number;
  const first = Buffer.from([0x82, 0x80 | (size.length === 0 ? length : short)]);
  return Buffer.concat([first, size, Buffer.alloc(4), Buffer.alloc(length, '\r\n\r\n')]);
}

function watch(socket: Socket): End {
  const end: End = { socket, received: Buffer.alloc(0), reads: 0, ended: false };
  socket.on('data', (data) => {
    end.received = Buffer.concat([end.received, data]);
    end.reads++;
  });
  socket.on('end', () => {
    end.ended = true;
  });
  socket.on('error', () => {});
  socket.on('close', (failed) => {
    end.isReset = failed;
  });
  return end;
}

async function join(fate: Fate): Promise<{ proxy: TcpProxy; client: End; server: End }> {
  const listener: Server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const proxy = await TcpProxy.listen((listener.address() as AddressInfo).port, () => fate);
  const accepted = new Promise<End>((resolve) => {
    listener.once('connection', (socket) => resolve(watch(socket)));
  });
  const client = watch(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
  const server = await accepted;
  cleanups.push(
    () => new Promise((resolve) => listener.close(resolve)),
    () => proxy.close(),
    () => client.socket.destroy(),
    () => server.socket.destroy(),
  );
  return { proxy, client, server };
}

const lengths = frames.map(({ length }) => length);
const startOf = (index: number) => head.length + lengths.slice(0, index).reduce((sum, one) => sum + one, 0);

it.each([
  ['at the boundary before the first frame', { frame: 0, into: 0 }, head.length],
  ['inside of a header', { frame: 1, into: 1 }, startOf(1) + 1],
  ['inside of a length', { frame: 2, into: 5 }, startOf(2) + 5],
  ['inside of a payload', { frame: 2, into: 30_000 }, startOf(2) + 30_000],
  ['after a frame', { frame: 3, into: 0 }, startOf(3)],
  ['after a frame that is shorter than the place', { frame: 1, into: 9_999 }, startOf(2)],
  ['after the last frame', { frame: 4, into: 0 }, stream.length],
  ['inside of the upgrade', { byte: 7 }, 7],
  ['before anything', { byte: 0 }, 0],
])('cuts %s, in either direction, however the bytes come', async (_what, at, bytes) => {
  const trouble: LegFate = { trouble: { does: 'cut', at } };
  for (const direction of ['up', 'down'] as const) {
    for (const splitBytes of [1, 7, stream.length]) {
      const { proxy, client, server } = await join({ [direction]: trouble });
      const [from, to] = direction === 'up' ? [client, server] : [server, client];
      for (let at = 0; at < stream.length; at += 4_000 * splitBytes) {
        from.socket.write(stream.subarray(at, at + 4_000 * splitBytes));
      }
      await expect.poll(() => to.ended).toBe(true);
      expect(to.received.length).toBe(bytes);
      expect(to.received.equals(stream.subarray(0, bytes))).toBe(true);
      await expect.poll(() => from.ended || from.isReset).toBe(true);
      expect(proxy.troubles).toMatchObject([{ does: 'cut', direction }]);
    }
  }
});

it('resets, where a cut ends', async () => {
  // Nothing before it: Node takes a reset that comes together with data for an end.
  const { client, server } = await join({ up: { trouble: { does: 'reset', at: { byte: 0 } } } });
  client.socket.write(stream);
  await expect.poll(() => [client.isReset, server.isReset]).toEqual([true, true]);
});

it('closes one direction, and leaves the other one for a time', async () => {
  const at = { frame: 1, into: 2 };
  const { client, server } = await join({ down: { trouble: { does: 'half-close', ms: 1_000, at } } });
  server.socket.write(stream);
  await expect.poll(() => client.ended).toBe(true);
  client.socket.write('still here');
  await expect.poll(() => server.received.toString()).toBe('still here');
  expect(client.received.length).toBe(startOf(1) + 2);
  expect(server.ended).toBe(false);
  await expect.poll(() => server.ended).toBe(true);
});

it.each(['go on', 'cut'] as const)('stalls one direction, then: %s', async (after) => {
  const at = { frame: 0, into: 3 };
  const { proxy, client, server } = await join({ up: { trouble: { does: 'stall', ms: 1_000, after, at } } });
  client.socket.write(stream);
  await expect.poll(() => proxy.troubles.length).toBe(1);
  server.socket.write('the other way');
  await expect.poll(() => client.received.toString()).toBe('the other way');
  expect(server.received.length).toBe(startOf(0) + 3);
  if (after === 'cut') {
    await expect.poll(() => server.ended).toBe(true);
    expect(server.received.length).toBe(startOf(0) + 3);
  } else {
    await expect.poll(() => server.received.equals(stream)).toBe(true);
  }
});

it('splits what was written at once, and delays it', async () => {
  const { client, server } = await join({ up: { splitBytes: 3, delayMs: 5 } });
  client.socket.write(stream.subarray(0, 60));
  await expect.poll(() => server.received.length).toBe(60);
  expect(server.reads).toBeGreaterThan(1);
  expect(server.received.equals(stream.subarray(0, 60))).toBe(true);
});

it('passes the end of each direction on when nothing is amiss', async () => {
  const { client, server } = await join({});
  client.socket.end(stream);
  await expect.poll(() => server.ended).toBe(true);
  expect(server.received.equals(stream)).toBe(true);
  server.socket.end('answer');
  await expect.poll(() => client.received.toString()).toBe('answer');
  await expect.poll(() => [client.isReset, server.isReset]).toEqual([false, false]);
});

it('draws the same fates from the same seed, and all kinds of them', () => {
  const fates = Array.from({ length: 500 }, (_, index) => drawFate(7, index));
  expect(Array.from({ length: 500 }, (_, index) => drawFate(7, index))).toEqual(fates);
  expect(fates).not.toEqual(Array.from({ length: 500 }, (_, index) => drawFate(8, index)));
  for (const direction of ['up', 'down'] as const) {
    const legs = fates.flatMap((fate) => fate[direction] ?? []);
    const does = new Set(legs.map(({ trouble }) => trouble?.does));
    expect(does).toEqual(new Set([undefined, 'cut', 'reset', 'half-close', 'stall']));
    expect(legs.some(({ delayMs }) => delayMs !== undefined)).toBe(true);
    expect(legs.some(({ splitBytes }) => splitBytes !== undefined)).toBe(true);
  }
});
