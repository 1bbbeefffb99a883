import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Channel, ChannelStatus } from '../../../src/channel/channel.js';
import { openSocketChannel } from '../../../src/channel/socket-channel.js';
import type { SocketChannelOptions } from '../../../src/channel/socket-options.js';
import { AuthenticationError, isE2BEdgeError, NotFoundError, RateLimitError } from '../../../src/errors.js';
import type { RelayOptions } from '../../../src/relay/relay-api.js';
import { FakeChannel } from '../../faults/support/fake-channel.js';
import { Reader } from '../../faults/support/reader.js';
import { accessFor, RelayServer } from '../../faults/support/relay-server.js';
import { TcpProxy } from '../../faults/support/tcp-proxy.js';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const bytes = (text: string) => new TextEncoder().encode(text);
const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

async function serve(upstream: FakeChannel, options: Partial<RelayOptions> = {}) {
  const server = await RelayServer.listen(async () => upstream, options);
  const proxy = await TcpProxy.listen(server.port);
  cleanups.push(
    () => server.close(),
    () => proxy.close(),
  );
  return { server, proxy };
}

async function openAt(port: number, options: Partial<SocketChannelOptions> = {}): Promise<Channel> {
  const channel = await openSocketChannel({
    url: `http://127.0.0.1:${port}/pty/sandbox`,
    token: () => 'ann',
    target: { pid: 5 },
    size: { cols: 80, rows: 24 },
    WebSocket,
    ...options,
  });
  cleanups.push(() => channel.close());
  return channel;
}

/** Resolves when a status comes. */
function status(channel: Channel, state: ChannelStatus['state']): Promise<ChannelStatus> {
  return new Promise((resolve) => {
    if (channel.status.state === state) resolve(channel.status);
    else
      channel.onStatus((now) => {
        if (now.state === state) resolve(now);
      });
  });
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

describe('opening', () => {
  it('resolves with the terminal, which then speaks both ways', async () => {
    const upstream = new FakeChannel(5);
    const { server } = await serve(upstream);
    const channel = await openAt(server.port, {
      target: { create: { size: { cols: 80, rows: 24 }, cwd: '/tmp' } },
    });
    const reader = new Reader(channel);
    expect(channel.pid).toBe(5);
    expect(channel.epoch).not.toBe('');
    expect(channel.status).toEqual({ state: 'open' });
    expect(server.targets).toEqual([{ create: { cwd: '/tmp', size: { cols: 80, rows: 24 } } }]);
    await channel.send(bytes('ls\r'));
    expect(upstream.input).toEqual(bytes('ls\r'));
    upstream.print('file');
    await reader.until(() => reader.text === 'file');
    channel.resize({ cols: 100, rows: 40 });
    await channel.send(bytes('x'));
    expect(upstream.sizes).toEqual([{ cols: 100, rows: 40 }]);
    upstream.exit(2);
    await reader.done;
    expect(reader.events.at(-1)).toEqual({ type: 'exit', exitCode: 2, status: 'exit status 2' });
    expect(channel.status).toEqual({ state: 'closed' });
    expect(isE2BEdgeError(await failure(channel.send(bytes('y'))), 'input_not_executed')).toBe(true);
  });

  it('rejects with what the relay says', async () => {
    const upstream = new FakeChannel(5);
    const { server } = await serve(upstream);
    const asked: boolean[] = [];
    const refused = await failure(
      openAt(server.port, {
        token: ({ refresh }) => {
          asked.push(refresh);
          return 'bad';
        },
      }),
    );
    expect(refused).toBeInstanceOf(AuthenticationError);
    expect(refused).toMatchObject({ code: 'session_refused' });
    expect(asked).toEqual([false, true, true]);

    const missing = await RelayServer.listen(() =>
      Promise.reject(new NotFoundError('no', { code: 'process_not_found' })),
    );
    cleanups.push(() => missing.close());
    const notFound = await failure(openAt(missing.port));
    expect(notFound).toBeInstanceOf(NotFoundError);
    expect(notFound).toMatchObject({ code: 'process_not_found' });

    const granted = await failure(
      openAt(server.port, { token: () => 'ann:read', target: { create: { size: { cols: 1, rows: 1 } } } }),
    );
    expect(granted).toMatchObject({ name: 'PermissionDeniedError' });
  });

  it('asks for no other token when the session was revoked, and is closed by the end of its session', async () => {
    const revoked = new AuthenticationError('ended', { code: 'session_revoked' });
    const refusing = await RelayServer.listen(() => Promise.reject(revoked));
    cleanups.push(() => refusing.close());
    const asked: boolean[] = [];
    const token = ({ refresh }: { refresh: boolean }): string => {
      asked.push(refresh);
      return 'ann';
    };
    expect(await failure(openAt(refusing.port, { token }))).toMatchObject({ code: 'session_revoked' });
    expect(asked).toEqual([false]);

    const { server } = await serve(new FakeChannel(5));
    let end: (error: Error) => void = () => undefined;
    const detach = vi.fn();
    const attach = (onEnd: typeof end): (() => void) => {
      end = onEnd;
      return detach;
    };
    const channel = await openAt(server.port, { attach });
    const statuses: ChannelStatus[] = [];
    channel.onStatus((status) => statuses.push(status));
    end(revoked);
    end(revoked);
    expect(statuses).toEqual([{ state: 'closed', error: revoked }]);
    expect(detach).toHaveBeenCalledTimes(1);
    const atOnce = (onEnd: typeof end): (() => void) => {
      onEnd(revoked);
      return detach;
    };
    expect(await failure(openAt(server.port, { attach: atOnce }))).toBe(revoked);
  });

  it('takes a fresh token when the first one is refused', async () => {
    const { server } = await serve(new FakeChannel(5));
    const channel = await openAt(server.port, { token: ({ refresh }) => (refresh ? 'ann' : 'bad') });
    expect(channel.status.state).toBe('open');
  });

  it('waits for room when there are too many sockets, and rejects when there is none in time', async () => {
    let full = true;
    const upstream = new FakeChannel(5);
    const { server } = await serve(upstream, {
      authorize: async (token, sandboxId) => {
        if (full) throw new RateLimitError('too many', { retryAfterMs: 30 });
        return accessFor(token, sandboxId, async () => upstream);
      },
    });
    expect(await failure(openAt(server.port, { openTimeoutMs: 100 }))).toBeInstanceOf(RateLimitError);
    const opening = openAt(server.port);
    await tick(50);
    full = false;
    expect((await opening).status.state).toBe('open');
  });

  it('rejects when nobody listens, without waiting for the whole time', async () => {
    const { server } = await serve(new FakeChannel(5));
    const { port } = server;
    await server.close();
    expect(await failure(openAt(port))).toMatchObject({ name: 'ConnectionError', code: 'connection_failed' });
  });

  it('rejects when a token cannot be had, an address is none, or the caller gives up', async () => {
    const { server } = await serve(new FakeChannel(5));
    const expired = new AuthenticationError('over', { code: 'session_expired' });
    expect(await failure(openAt(server.port, { token: () => Promise.reject(expired) }))).toBe(expired);
    expect(await failure(openAt(server.port, { url: 'nowhere' }))).toMatchObject({ code: 'invalid_url' });
    const controller = new AbortController();
    const reason = new Error('the user left');
    const opening = failure(
      openAt(server.port, { token: () => new Promise(() => {}), signal: controller.signal }),
    );
    controller.abort(reason);
    expect(await opening).toBe(reason);
    expect(await failure(openAt(server.port, { signal: controller.signal }))).toBe(reason);
  });

  it('opens one terminal only, though the connection breaks before the relay has answered', async () => {
    const upstream = new FakeChannel(5);
    let opened: () => void = () => {};
    const server = await RelayServer.listen(async () => {
      await new Promise<void>((resolve) => {
        opened = resolve;
      });
      return upstream;
    });
    const proxy = await TcpProxy.listen(server.port);
    cleanups.push(
      () => server.close(),
      () => proxy.close(),
    );
    const opening = openAt(proxy.port, { target: { create: { size: { cols: 80, rows: 24 } } } });
    while (server.targets.length === 0) await tick();
    proxy.cutAll();
    while (proxy.connections < 2) await tick();
    opened();
    expect((await opening).pid).toBe(5);
    expect(server.targets).toHaveLength(1);
  });
});

describe('an open channel', () => {
  it('notices a connection that is silently dead, and goes on over a new one', async () => {
    const upstream = new FakeChannel(5);
    const { proxy } = await serve(upstream);
    const channel = await openAt(proxy.port, { pingIntervalMs: 30, pingTimeoutMs: 30, heldInputMs: 60_000 });
    const reader = new Reader(channel);
    upstream.print('one ');
    await reader.until(() => reader.length === 4);
    proxy.stall();
    upstream.print('two');
    const sent = channel.send(bytes('typed'));
    await status(channel, 'reconnecting');
    proxy.unstall();
    channel.reconnect();
    await reader.until(() => reader.text === 'one two');
    await sent;
    expect(new TextDecoder().decode(upstream.input)).toBe('typed');
  });

  it('asks for life at once when it is told that the network is back', async () => {
    const upstream = new FakeChannel(5);
    const { proxy } = await serve(upstream);
    const channel = await openAt(proxy.port, { pingTimeoutMs: 20 });
    proxy.stall();
    channel.reconnect();
    await status(channel, 'reconnecting');
    proxy.unstall();
    channel.reconnect();
    await status(channel, 'open');
  });

  it('gives back what was typed while the link was down for too long, and never sends it', async () => {
    const upstream = new FakeChannel(5);
    const { server, proxy } = await serve(upstream);
    const { port } = server;
    const channel = await openAt(proxy.port, { heldInputMs: 40 });
    await server.close();
    await status(channel, 'reconnecting');
    const error = await failure(channel.send(bytes('rm -rf .\r')));
    expect(isE2BEdgeError(error, 'input_not_executed')).toBe(true);
    const second = new FakeChannel(5);
    const again = await RelayServer.listen(async () => second, {}, port);
    cleanups.push(() => again.close());
    const sent = channel.send(bytes('ok'));
    channel.reconnect();
    await Promise.race([sent, status(channel, 'open')]);
    await channel.send(bytes('!')).catch(() => {});
    await sent.catch(() => {});
    expect(new TextDecoder().decode(second.input)).not.toContain('rm');
  });

  it('says that input is uncertain when the relay died with it, and that output is missing', async () => {
    const upstream = new FakeChannel(5);
    upstream.beforeInput = () => new Promise(() => {});
    const { server, proxy } = await serve(upstream);
    const { port } = server;
    const channel = await openAt(proxy.port, { heldInputMs: 60_000 });
    const { epoch } = channel;
    const reader = new Reader(channel);
    upstream.print('before');
    await reader.until(() => reader.length === 6);
    const sent = failure(channel.send(bytes('in flight')));
    while (upstream.sends === 0) await tick();
    await server.close();
    await status(channel, 'reconnecting');
    const second = new FakeChannel(5);
    const again = await RelayServer.listen(async () => second, {}, port);
    cleanups.push(() => again.close());
    const later = channel.send(bytes('typed while it was down'));
    await status(channel, 'open');
    expect(isE2BEdgeError(await sent, 'input_uncertain')).toBe(true);
    await later;
    expect(new TextDecoder().decode(second.input)).toBe('typed while it was down');
    second.print('after');
    await reader.until(() => reader.events.length === 3);
    expect(channel.epoch).not.toBe(epoch);
    expect(reader.events).toMatchObject([
      { type: 'output', offset: 0 },
      { type: 'gap', from: 6, to: null },
      { type: 'output', offset: 0 },
    ]);
  });

  it('watches when another window takes over, knows what became of its input, and takes over again', async () => {
    const upstream = new FakeChannel(5);
    let release: () => void = () => {};
    upstream.beforeInput = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const { server, proxy } = await serve(upstream);
    const older = await openAt(proxy.port);
    const reader = new Reader(older);
    const modes: string[] = [];
    older.sharing?.onMode((mode) => modes.push(mode));
    const inFlight = older.send(bytes('a'));
    while (upstream.sends === 0) await tick();
    const queued = failure(older.send(bytes('b')));
    await tick(20);
    const newer = await openAt(server.port, { size: { cols: 90, rows: 30 } });
    expect(isE2BEdgeError(await queued, 'input_not_executed')).toBe(true);
    expect([older.sharing?.mode, newer.sharing?.mode, modes]).toEqual(['read', 'write', ['read']]);
    expect(isE2BEdgeError(await failure(older.send(bytes('c'))), 'input_not_executed')).toBe(true);
    release();
    await inFlight;
    upstream.beforeInput = async () => {};
    upstream.print('text');
    await reader.until(() => reader.text === 'text');

    // A lost connection does not take the writing back.
    proxy.cutAll();
    await status(older, 'reconnecting');
    await status(older, 'open');
    expect([older.sharing?.mode, newer.sharing?.mode]).toEqual(['read', 'write']);
    older.resize({ cols: 70, rows: 20 });
    expect(upstream.sizes.at(-1)).toEqual({ cols: 90, rows: 30 });

    await older.sharing?.takeOver();
    await older.send(bytes('d'));
    expect(new TextDecoder().decode(upstream.input)).toBe('ad');
    expect(upstream.sizes.at(-1)).toEqual({ cols: 70, rows: 20 });
    expect([older.sharing?.mode, newer.sharing?.mode, modes]).toEqual(['write', 'read', ['read', 'write']]);
    await older.sharing?.takeOver();
  });

  it('goes on by a new token over the same socket', async () => {
    const upstream = new FakeChannel(5);
    const tokens: string[] = [];
    const { server, proxy } = await serve(upstream, {
      authorize: async (token, sandboxId) => {
        tokens.push(token);
        return accessFor(token.split('-')[0] ?? '', sandboxId, async () => upstream);
      },
    });
    let give: (token: string) => void = () => undefined;
    let token = 'ann-1';
    const channel = await openAt(proxy.port, {
      token: () => token,
      attach: (_onEnd, onToken) => {
        give = (next) => {
          token = next;
          onToken(next);
        };
        return () => undefined;
      },
    });
    const statuses: string[] = [];
    channel.onStatus(({ state }) => statuses.push(state));
    give('ann-2');
    give('ann-2');
    await channel.send(bytes('a'));
    expect([tokens, statuses, channel.status.state]).toEqual([['ann-1', 'ann-2'], [], 'open']);
    expect(server.log.map(({ event }) => event)).toEqual(['attach']);

    proxy.cutAll();
    await status(channel, 'reconnecting');
    give('ann-3');
    await status(channel, 'open');
    await channel.send(bytes('b'));
    expect(tokens).toEqual(['ann-1', 'ann-2', 'ann-3']);
  });

  it('hears of the size of the window that writes, with the output that it belongs to', async () => {
    const upstream = new FakeChannel(5);
    const { server } = await serve(upstream);
    const writer = await openAt(server.port, { size: { cols: 90, rows: 30 } });
    const viewer = await openAt(server.port, { mode: 'read' });
    const reader = new Reader(viewer);
    const own = new Reader(writer);
    upstream.print('one');
    await reader.until(() => reader.text === 'one');
    writer.resize({ cols: 60, rows: 20 });
    while (upstream.sizes.length < 2) await tick();
    upstream.print('two');
    await reader.until(() => reader.text === 'onetwo');
    const told = reader.events.map((event) => (event.type === 'output' ? event.offset : event));
    expect(told).toEqual([
      { type: 'size', offset: 0, cols: 90, rows: 30 },
      0,
      { type: 'size', offset: 3, cols: 60, rows: 20 },
      3,
    ]);
    await own.until(() => own.text === 'onetwo');
    expect(own.events.filter(({ type }) => type === 'size')).toHaveLength(1);
  });

  it('takes over when the link is back', async () => {
    const upstream = new FakeChannel(5);
    const { proxy } = await serve(upstream);
    const older = await openAt(proxy.port);
    const newer = await openAt(proxy.port);
    while (older.sharing?.mode === 'write') await tick();
    proxy.cutAll();
    await status(older, 'reconnecting');
    const wished = older.sharing?.takeOver();
    await wished;
    expect(older.sharing?.mode).toBe('write');
    while (newer.sharing?.mode === 'write') await tick();
    older.close();
    proxy.cutAll();
    await status(newer, 'reconnecting');
    await status(newer, 'open');
    // Nobody writes, and nobody does without being asked to.
    expect(newer.sharing?.mode).toBe('read');
    newer.close();
    expect(await failure(newer.sharing?.takeOver() as Promise<void>)).toMatchObject({ code: 'closed' });
  });

  it('may only watch where its session may, and is told so when it asks', async () => {
    const upstream = new FakeChannel(5);
    const { server } = await serve(upstream);
    const viewer = await openAt(server.port, { token: () => 'ann:read' });
    expect(viewer.sharing).toMatchObject({ mode: 'read', mayWrite: false });
    expect(await failure(viewer.send(bytes('x')))).toMatchObject({ code: 'input_not_executed' });
    expect(await failure(viewer.sharing?.takeOver() as Promise<void>)).toMatchObject({
      name: 'PermissionDeniedError',
      code: 'read_only',
    });
    viewer.resize({ cols: 10, rows: 10 });
    expect(viewer.status.state).toBe('open');
    expect(upstream.sizes).toEqual([]);
  });

  it('does not call input safe to repeat that was in flight when the terminal was refused later', async () => {
    const upstream = new FakeChannel(5);
    upstream.beforeInput = () => new Promise(() => {});
    let gone = false;
    const { proxy } = await serve(upstream, {
      authorize: async (token, sandboxId) => {
        if (gone) throw new NotFoundError('gone', { code: 'process_not_found' });
        return accessFor(token, sandboxId, async () => upstream);
      },
    });
    const channel = await openAt(proxy.port);
    const reader = new Reader(channel);
    const sent = failure(channel.send(bytes('a')));
    while (upstream.sends === 0) await tick();
    gone = true;
    proxy.cutAll();
    expect(isE2BEdgeError(await sent, 'input_uncertain')).toBe(true);
    await reader.done;
    expect(reader.error).toMatchObject({ name: 'NotFoundError', code: 'process_not_found' });
  });

  it('reports input that the sandbox did not take', async () => {
    const upstream = new FakeChannel(5);
    upstream.beforeInput = () => Promise.reject(new Error('down'));
    const { server } = await serve(upstream);
    const channel = await openAt(server.port);
    expect(isE2BEdgeError(await failure(channel.send(bytes('a'))), 'input_uncertain')).toBe(true);
    upstream.beforeInput = async () => {};
    await channel.send(bytes('b'));
    expect(new TextDecoder().decode(upstream.input)).toBe('b');
  });

  it('holds the terminal back while nobody reads, and keeps no more than its window', async () => {
    const upstream = new FakeChannel(5);
    const { proxy } = await serve(upstream);
    const channel = await openAt(proxy.port, { windowBytes: 64 * 1024 });
    for (let index = 0; index < 200; index++) upstream.print(new Uint8Array(8 * 1024).fill(index));
    await tick(50);
    expect(upstream.read).toBeLessThanOrEqual(256 * 1024);
    // A drop gives no new credit.
    for (let drops = 0; drops < 5; drops++) {
      proxy.cutAll();
      await status(channel, 'reconnecting');
      await status(channel, 'open');
    }
    await tick(50);
    expect(proxy.bytesDown).toBeGreaterThan(64 * 1024);
    expect(proxy.bytesDown).toBeLessThan(68 * 1024);
    const reader = new Reader(channel);
    await reader.until(() => reader.length === 200 * 8 * 1024);
    expect(reader.bytes.every((byte, index) => byte === Math.floor(index / 8_192) % 256)).toBe(true);
  });

  it('keeps the rest for the next loop when a loop is left', async () => {
    const upstream = new FakeChannel(5);
    const { server } = await serve(upstream);
    const channel = await openAt(server.port);
    upstream.print('a');
    for await (const event of channel) {
      expect(event).toMatchObject({ offset: 0 });
      break;
    }
    upstream.print('b');
    for await (const event of channel) {
      expect(event).toMatchObject({ offset: 1 });
      break;
    }
    channel.close();
    channel.close();
    for await (const event of channel) throw new Error(`after close: ${event.type}`);
    expect(channel.status).toEqual({ state: 'closed' });
  });

  it('knows what is a replay', async () => {
    const upstream = new FakeChannel(5);
    const { server } = await serve(upstream);
    const target = { create: { size: { cols: 80, rows: 24 } } };
    upstream.print('prompt');
    const creator = await openAt(server.port, { target });
    expect(creator.replayUntil).toBe(0);
    const reader = new Reader(creator);
    await reader.until(() => reader.length === 6);
    const viewer = await openAt(server.port, { mode: 'read' });
    expect(viewer.replayUntil).toBe(6);
    expect(isE2BEdgeError(await failure(viewer.send(bytes('x'))), 'input_not_executed')).toBe(true);
    viewer.resize({ cols: 1, rows: 1 });
    const watched = new Reader(viewer);
    await watched.until(() => watched.text === 'prompt');
    expect(viewer.status.state).toBe('open');
  });

  it('ends with an error when the relay does not keep to the protocol', async () => {
    const { WebSocketServer } = await import('ws');
    const { encodeFrame, FrameType } = await import('../../../src/wire/pty-frame.js');
    const { encodeJson } = await import('../../../src/wire/pty-messages.js');
    const welcome = {
      pty: 5,
      epoch: 'e',
      from: 0,
      head: 0,
      inputHave: 0,
      mode: 'write',
      size: { cols: 1, rows: 1 },
      durable: false,
    };
    for (const frames of [
      [encodeFrame(FrameType.out, 5, bytes('hole'))],
      [new Uint8Array([99])],
      [encodeFrame(FrameType.refresh)],
    ]) {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
      server.on('connection', (socket) => {
        socket.once('message', () => {
          socket.send(encodeJson(FrameType.welcome, 0, welcome));
          for (const frame of frames) socket.send(frame);
        });
      });
      await new Promise((resolve) => server.once('listening', resolve));
      cleanups.push(() => {
        for (const socket of server.clients) socket.terminate();
        server.close();
      });
      const channel = await openAt((server.address() as { port: number }).port);
      const reader = new Reader(channel);
      await reader.done;
      expect(reader.error).toMatchObject({ code: 'protocol_error' });
      expect(reader.length).toBe(0);
    }
  });
});
