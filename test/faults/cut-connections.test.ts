import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Channel } from '../../src/channel/channel.js';
import { openSocketChannel } from '../../src/channel/socket-channel.js';
import { FakeChannel } from './support/fake-channel.js';
import type { Fate } from './support/fate.js';
import { seeded, withoutInterrupt } from './support/random.js';
import { Reader } from './support/reader.js';
import { RelayServer } from './support/relay-server.js';
import { TcpProxy } from './support/tcp-proxy.js';

/** How many random courses are run: `FAULT_SEEDS=1000 npx vitest run test/faults`. */
const seeds = Number(process.env.FAULT_SEEDS ?? 50);
const firstSeed = Number(process.env.FAULT_FIRST_SEED ?? 1);

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const tick = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

async function start(upstream: FakeChannel, fate: (connection: number) => Fate) {
  const server = await RelayServer.listen(async () => upstream);
  const proxy = await TcpProxy.listen(server.port, fate);
  const channel = await openSocketChannel({
    url: `ws://127.0.0.1:${proxy.port}/pty/sandbox`,
    token: () => 'ann',
    target: { create: { size: { cols: 80, rows: 24 } } },
    size: { cols: 80, rows: 24 },
    WebSocket,
    heldInputMs: 60_000,
  });
  cleanups.push(
    () => server.close(),
    () => proxy.close(),
    () => channel.close(),
  );
  retryAtOnce(channel);
  return { server, proxy, channel };
}

/** The backoff is tested elsewhere. */
function retryAtOnce(channel: Channel): void {
  channel.onStatus((status) => {
    if (status.state === 'reconnecting') setTimeout(() => channel.reconnect(), 1);
  });
}

async function course(seed: number): Promise<number> {
  const random = seeded(seed);
  const upstream = new FakeChannel(100 + seed);
  upstream.beforeInput = async () => {
    if (random.below(3) === 0) await tick(random.below(3));
  };
  const cuts = 15 + random.below(15);
  const { proxy, channel, server } = await start(upstream, (connection) => {
    // The first attempt may fail; then many connections break, in either direction and anywhere; the last one holds.
    if (connection > cuts) return {};
    const bytes = random.below(4) === 0 ? random.below(600) : random.below(25_000);
    return { [random.below(2) === 0 ? 'up' : 'down']: { trouble: { does: 'cut', at: { byte: bytes } } } };
  });
  const output = random.bytes(300_000 + random.below(300_000));
  const input = random.bytes(40_000 + random.below(40_000));
  const reader = new Reader(channel, () => (random.below(20) === 0 ? tick(1).then(() => {}) : undefined));

  const print = async () => {
    for (let at = 0; at < output.length; ) {
      const length = Math.min(1 + random.below(12_000), output.length - at);
      upstream.print(output.subarray(at, at + length));
      at += length;
      if (random.below(3) === 0) await tick();
    }
  };
  const type = async () => {
    const sends: Promise<void>[] = [];
    for (let at = 0; at < input.length; ) {
      const wanted = random.below(3) === 0 ? 1 + random.below(3_000) : 1 + random.below(8);
      const length = withoutInterrupt(input, at, wanted);
      sends.push(channel.send(input.subarray(at, at + length)));
      at += length;
      if (random.below(4) === 0) await tick(1);
    }
    await Promise.all(sends);
  };
  await Promise.all([print(), type(), reader.until(() => reader.length >= output.length)]);
  upstream.exit(7);
  await reader.done;

  expect(reader.error).toBeUndefined();
  expect(reader.events.filter((event) => event.type === 'gap')).toEqual([]);
  expect(Buffer.compare(reader.bytes, output)).toBe(0);
  expect(Buffer.compare(upstream.input, input)).toBe(0);
  expect(reader.events.at(-1)).toMatchObject({ type: 'exit', exitCode: 7 });
  expect(upstream.overlappingSends).toBe(0);
  expect(server.targets).toHaveLength(1);
  return proxy.cuts;
}

describe('a terminal whose connection breaks', () => {
  it(`loses and doubles nothing, in both directions (${seeds} random courses)`, {
    timeout: 20_000 * seeds,
  }, async () => {
    let cuts = 0;
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      try {
        cuts += await course(seed);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    }
    expect(cuts).toBeGreaterThan(5 * seeds);
  });

  it.each(['down', 'up'] as const)(
    'goes on after a cut at every single byte of the way %s',
    { timeout: 120_000 },
    async (direction) => {
      const upstream = new FakeChannel(50);
      let at = 0;
      const { proxy, channel } = await start(upstream, (connection) =>
        connection === 0 ? {} : { [direction]: { trouble: { does: 'cut', at: { byte: at } } } },
      );
      const reader = new Reader(channel);
      // Enough for the upgrade, HELLO or WELCOME, and some frames after them.
      const last = 450;
      let typed = '';
      let printed = '';
      for (at = 1; at <= last; at++) {
        proxy.cutAll();
        const word = `<${at}>`;
        typed += word;
        printed += word;
        const sent = channel.send(new TextEncoder().encode(word));
        upstream.print(word);
        const arrived = reader.until(() => reader.length >= printed.length);
        // An attempt that breaks at this byte is tried twice; then it is let through.
        const letThrough = tick(12).then(() => {
          at += 100_000;
        });
        await Promise.all([sent, arrived, letThrough]);
        at -= 100_000;
      }
      expect(reader.text).toBe(printed);
      expect(new TextDecoder().decode(upstream.input)).toBe(typed);
      expect(proxy.cuts).toBeGreaterThan(last / 2);
    },
  );
});
