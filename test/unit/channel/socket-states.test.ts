/** The states of a terminal by WebSocket, one after the other, for each cause that docs/terminal.md names. */

import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Channel } from '../../../src/channel/channel.js';
import { openSocketChannel } from '../../../src/channel/socket-channel.js';
import { FrameType } from '../../../src/wire/pty-frame.js';
import { encodeJson } from '../../../src/wire/pty-messages.js';

const size = { cols: 80, rows: 24 };
const welcome = { pty: 5, epoch: 'e', from: 0, head: 0, inputHave: 0, mode: 'write', size, durable: false };

/** How a relay ends a socket. */
interface End {
  /** Absent: the connection breaks. */
  closeCode?: number;
  refusal?: { code: string; message: string; retryable: boolean; retryAfterMs?: number };
}

const refusal = (code: string) => ({ code, message: `${code}.`, retryable: false });

/** The causes by their close codes, as the page documents them, and what becomes of a terminal that was open. */
const causes: Record<string, End & { comesTo: 'open' | 'closed'; error?: object; times?: number }> = {
  'the network, the relay or the envd stream is lost': { comesTo: 'open' },
  '1012': {
    closeCode: 1012,
    refusal: refusal('upstream_unavailable'),
    comesTo: 'open',
    error: { code: 'upstream_unavailable' },
  },
  '1012 `sandbox_paused`': {
    closeCode: 1012,
    refusal: refusal('sandbox_paused'),
    comesTo: 'open',
    error: { code: 'sandbox_paused' },
    times: 3,
  },
  '4408': { closeCode: 4408, comesTo: 'open' },
  '4401': { closeCode: 4401, refusal: refusal('session_refused'), comesTo: 'open' },
  '4401 again, with fresh tokens': {
    closeCode: 4401,
    refusal: refusal('session_refused'),
    times: 3,
    comesTo: 'closed',
    error: { name: 'AuthenticationError', code: 'session_refused' },
  },
  '4401 `session_revoked`': {
    closeCode: 4401,
    refusal: refusal('session_revoked'),
    comesTo: 'closed',
    error: { name: 'AuthenticationError', code: 'session_revoked' },
  },
  '4429': {
    closeCode: 4429,
    refusal: { ...refusal('too_many_sockets'), retryAfterMs: 300 },
    comesTo: 'open',
    error: { name: 'RateLimitError', code: 'too_many_sockets' },
  },
  '4400': { closeCode: 4400, comesTo: 'closed', error: { code: 'protocol_error' } },
  '4400 `durable_unavailable`': {
    closeCode: 4400,
    refusal: refusal('durable_unavailable'),
    comesTo: 'closed',
    error: { name: 'SandboxError', code: 'durable_unavailable' },
  },
  '4400 `not_enough_space`': {
    closeCode: 4400,
    refusal: refusal('not_enough_space'),
    comesTo: 'closed',
    error: { name: 'NotEnoughSpaceError', code: 'not_enough_space' },
  },
  '4403': {
    closeCode: 4403,
    refusal: refusal('permission_denied'),
    comesTo: 'closed',
    error: { name: 'PermissionDeniedError' },
  },
  '4404': { closeCode: 4404, comesTo: 'closed', error: { name: 'NotFoundError', code: 'process_not_found' } },
  '4404 `sandbox_not_found`': {
    closeCode: 4404,
    refusal: refusal('sandbox_not_found'),
    comesTo: 'closed',
    error: { name: 'SandboxNotFoundError' },
  },
  '4409': { closeCode: 4409, comesTo: 'closed', error: { code: 'replaced' } },
};

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** A relay that ends its sockets as it is told, one after the other, and then keeps what comes. */
async function relay(ends: { end: End; isWelcomed: boolean }[]) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const hellos: { at: number; fields: Record<string, unknown> }[] = [];
  let finish: () => void = () => undefined;
  server.on('connection', (socket) => {
    socket.once('message', (data: Buffer) => {
      const { end, isWelcomed } = ends[hellos.length] ?? { end: undefined, isWelcomed: true };
      hellos.push({ at: performance.now(), fields: JSON.parse(data.subarray(9).toString()) });
      if (isWelcomed) socket.send(encodeJson(FrameType.welcome, 0, welcome));
      finish = () => {
        if (!end) return;
        if (end.refusal) socket.send(encodeJson(FrameType.error, 0, end.refusal));
        if (end.closeCode === undefined) socket.terminate();
        else socket.close(end.closeCode);
      };
      if (!isWelcomed) finish();
    });
  });
  await new Promise((resolve) => server.once('listening', resolve));
  cleanups.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { url: `ws://127.0.0.1:${port}/pty/sandbox`, hellos, endNow: () => finish() };
}

async function open(url: string, asked: boolean[] = []): Promise<Channel> {
  const channel = await openSocketChannel({
    url,
    token: ({ refresh }) => {
      asked.push(refresh);
      return `token ${asked.length}`;
    },
    target: { pid: 5 },
    size,
    WebSocket,
  });
  cleanups.push(() => channel.close());
  return channel;
}

/** All states until one is there. */
function statesTo(channel: Channel, last: string): Promise<{ state: string; error?: unknown }[]> {
  const states: { state: string; error?: unknown }[] = [];
  return new Promise((resolve) => {
    channel.onStatus((status) => {
      states.push(status);
      if (status.state === last) resolve(states);
    });
  });
}

describe('an open terminal', () => {
  test.each(Object.entries(causes))('%s', async (_, { comesTo, error, times = 1, ...end }) => {
    const ends = Array.from({ length: times }, (_one, index) => ({ end, isWelcomed: index === 0 }));
    const { url, hellos, endNow } = await relay(ends);
    const asked: boolean[] = [];
    const channel = await open(url, asked);
    expect(channel.status).toEqual({ state: 'open' });
    const all = statesTo(channel, comesTo);
    endNow();
    const states = await all;
    const between = states.slice(0, -1);
    expect(between.every(({ state }) => state === 'reconnecting')).toBe(true);
    if (comesTo === 'open') {
      expect(between.map((status) => (status as { attempt?: number }).attempt)).toEqual(
        Array.from({ length: times }, (_one, index) => index + 1),
      );
      if (error) expect(between[0]).toMatchObject({ error });
      expect(hellos).toHaveLength(times + 1);
      expect(hellos.at(-1)?.fields).toMatchObject({ pty: 5, epoch: 'e', have: 0 });
      if (end.refusal && 'retryAfterMs' in end.refusal) {
        expect(hellos[1]!.at - hellos[0]!.at).toBeGreaterThan(end.refusal.retryAfterMs - 5);
      }
    } else {
      expect(states.at(-1)).toMatchObject({ state: 'closed', error });
      expect(hellos).toHaveLength(times);
    }
    // Only a token that was refused is worth another one.
    const isToken = end.closeCode === 4401 && end.refusal?.code === 'session_refused';
    expect(asked.slice(1)).toEqual(Array.from({ length: hellos.length - 1 }, () => isToken));
  });
});

describe('a terminal that is being opened', () => {
  const final = Object.entries(causes).filter(([, { comesTo }]) => comesTo === 'closed');
  test.each(final)('%s', async (_, { error, times = 1, comesTo: _comesTo, ...end }) => {
    const { url, hellos } = await relay(Array.from({ length: times }, () => ({ end, isWelcomed: false })));
    await expect(open(url)).rejects.toMatchObject(error ?? {});
    expect(hellos).toHaveLength(times);
  });

  const passing = Object.entries(causes).filter(([, { comesTo }]) => comesTo === 'open');
  test.each(passing)('%s', async (_, { times = 1, comesTo: _comesTo, error: _error, ...end }) => {
    const { url, hellos } = await relay(Array.from({ length: times }, () => ({ end, isWelcomed: false })));
    const channel = await open(url);
    expect(channel.status).toEqual({ state: 'open' });
    expect(hellos).toHaveLength(times + 1);
  });
});

test('a terminal that reconnects is closed by close(), and its loop ends', async () => {
  const { url, endNow } = await relay([{ end: {}, isWelcomed: true }]);
  const channel = await open(url);
  const reconnecting = statesTo(channel, 'reconnecting');
  endNow();
  await reconnecting;
  channel.close();
  expect(channel.status).toEqual({ state: 'closed' });
  for await (const event of channel) expect(event).toBeUndefined();
});

test('the documentation names the same causes', () => {
  const page = readFileSync(new URL('../../../docs/terminal.md', import.meta.url), 'utf8');
  const table = page.split('## When the connection is lost')[1]?.split('\n## ')[0] ?? '';
  const rows = [...table.matchAll(/^\| ([^|]+?) \| (open|closed)/gm)].map(([, cause, state]) => [
    cause,
    state,
  ]);
  const tested = Object.entries(causes).map(([cause, { comesTo }]) => [cause, comesTo]);
  expect(rows.sort()).toEqual(tested.sort());
});
