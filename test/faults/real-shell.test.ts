import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openSocketChannel } from '../../src/channel/socket-channel.js';
import { seeded } from './support/random.js';
import { Reader } from './support/reader.js';
import { RelayServer } from './support/relay-server.js';
import { ShellChannel } from './support/shell-channel.js';
import { TcpProxy } from './support/tcp-proxy.js';

const lines = 40_000;
const inputBytes = 100_000;

/**
 * Counts to 40,000, then hashes what is typed. The terminal is raw, as in an editor, so that no byte means anything.
 * `read` holds the program until the test has seen all: node-pty may lose what a program prints as it ends.
 */
const script = `stty raw -echo; echo ready; seq 1 ${lines}; head -c ${inputBytes} | sha256sum; head -c 1 >/dev/null; exit 3`;

it('a real shell behind a connection that breaks all the time', { timeout: 60_000 }, async () => {
  const random = seeded(7);
  const shell = new ShellChannel(script);
  const server = await RelayServer.listen(async () => shell);
  const proxy = await TcpProxy.listen(server.port, (connection) =>
    connection > 25
      ? {}
      : {
          down: { trouble: { does: 'cut', at: { byte: 500 + random.below(20_000) } } },
          up: { trouble: { does: 'cut', at: { byte: 900 + random.below(9_000) } } },
        },
  );
  const channel = await openSocketChannel({
    url: `ws://127.0.0.1:${proxy.port}/pty/sandbox`,
    token: () => 'ann',
    target: { create: { size: { cols: 80, rows: 24 } } },
    size: { cols: 80, rows: 24 },
    WebSocket,
    heldInputMs: 60_000,
  });
  try {
    channel.onStatus(({ state }) => {
      if (state === 'reconnecting') setTimeout(() => channel.reconnect(), 1);
    });
    const reader = new Reader(channel);
    await reader.until(() => reader.text.includes('ready'));
    const input = random.bytes(inputBytes);
    const sends: Promise<void>[] = [];
    for (let at = 0; at < input.length; ) {
      const length = 1 + random.below(2_000);
      sends.push(channel.send(input.subarray(at, at + length)));
      at += length;
    }
    await Promise.all(sends);
    const hash = createHash('sha256').update(input).digest('hex');
    await reader.until(() => reader.text.includes(hash) || reader.text.includes('  -'));
    await channel.send(new Uint8Array([0x71]));
    await reader.done;

    const counted = Array.from({ length: lines }, (_, index) => `${index + 1}\n`).join('');
    expect(reader.text.replaceAll('\r', '')).toBe(`ready\n${counted}${hash}  -\n`);
    expect(reader.events.at(-1)).toMatchObject({ type: 'exit', exitCode: 3 });
    expect(proxy.cuts).toBeGreaterThan(15);
  } finally {
    channel.close();
    await proxy.close();
    await server.close();
    shell.close();
  }
});
