import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Channel, PtyTarget } from '../../../src/channel/channel.js';
import {
  AuthenticationError,
  ConnectionError,
  NotEnoughSpaceError,
  NotFoundError,
  RateLimitError,
  SandboxError,
  TemplateError,
} from '../../../src/errors.js';
import { createRelay } from '../../../src/relay/relay.js';
import type { Relay, RelayAccess, RelayLogEvent, RelayOptions } from '../../../src/relay/relay-api.js';
import { encodeFrame, type Frame, FrameType, maxPayloadBytes } from '../../../src/wire/pty-frame.js';
import { encodeJson } from '../../../src/wire/pty-messages.js';
import { FakeChannel } from '../../faults/support/fake-channel.js';
import { accessFor } from '../../faults/support/relay-server.js';
import { MemorySocket } from './support/memory-socket.js';

const create = (createKey = 'key') => ({ create: { createKey } });
const kib = 1024;

let upstreams: FakeChannel[];
let targets: PtyTarget[];
let log: RelayLogEvent[];
let relay: Relay;
let change: (access: RelayAccess) => void;
let open: (target: PtyTarget) => Promise<Channel>;

function start(options: Partial<RelayOptions> = {}): void {
  relay = createRelay({
    authorize: async (token, sandboxId) => {
      const access = accessFor(token, sandboxId, (target) => {
        targets.push(target);
        return open(target);
      });
      change(access);
      return access;
    },
    log: (event) => log.push(event),
    ...options,
  });
}

/** Lets everything happen that needs no time. */
const settle = () => vi.advanceTimersByTimeAsync(0);

function accept(sandboxId = 'sandbox'): MemorySocket {
  const socket = new MemorySocket();
  relay.accept(socket, sandboxId);
  return socket;
}

async function join(
  fields: Parameters<MemorySocket['hello']>[0] = create(),
  sandboxId = 'sandbox',
): Promise<MemorySocket> {
  const socket = accept(sandboxId).hello(fields);
  await settle();
  return socket;
}

beforeEach(() => {
  vi.useFakeTimers();
  upstreams = [];
  targets = [];
  log = [];
  change = () => {};
  open = async (target) => {
    const upstream = new FakeChannel('pid' in target ? target.pid : 1000 + upstreams.length);
    upstreams.push(upstream);
    return upstream;
  };
  start();
});

afterEach(async () => {
  relay.close();
  await settle();
  expect(vi.getTimerCount(), 'timers that are left').toBe(0);
  vi.useRealTimers();
});

const isOutput = ({ type }: Frame) => type === FrameType.out || type === FrameType.size;
const first = () => upstreams[0] as FakeChannel;
const typed = (upstream = first()) => new TextDecoder().decode(upstream.input);

describe('the greeting', () => {
  it('is waited for no longer than 5 s', async () => {
    const socket = accept();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(socket.closeCode).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(socket.closeCode).toBe(4408);
  });

  it('is waited for on few sockets', async () => {
    start({ maxPendingSockets: 2 });
    const first = accept();
    const second = accept();
    const third = accept();
    // Whoever floods with silent sockets must not keep out one that speaks at once.
    expect([first, second, third].map(({ closeCode }) => closeCode)).toEqual([4429, undefined, undefined]);
    expect(first.refusal).toMatchObject({ code: 'too_many_sockets', retryable: true, retryAfterMs: 2_000 });
    third.hello(create());
    await settle();
    expect(third.welcome.pty).toBe(1000);
  });

  it('is not cut short for those who come later', async () => {
    start({ maxPendingSockets: 1 });
    open = () => new Promise(() => {});
    const opening = accept().hello(create());
    const later = accept();
    expect(opening.closeCode).toBeUndefined();
    expect(later.refusal).toMatchObject({ code: 'too_many_sockets', retryable: true, retryAfterMs: 2_000 });
  });

  it('keeps nobody else out once its token was found good, however long its terminal takes', async () => {
    start({ maxPendingSockets: 2, maxSocketsPerSession: 3 });
    open = () => new Promise(() => {});
    const stalled: MemorySocket[] = [];
    // All of them want the same terminal, so that of terminals there are not too many.
    for (let count = 0; count < 5; count++) stalled.push(await join({ ...create(), clientId: 'one' }));
    const codes = stalled.map(({ closeCode }) => closeCode);
    expect(codes).toEqual([undefined, undefined, undefined, 4429, 4429]);
    expect(stalled[4]?.refusal).toMatchObject({ code: 'too_many_sockets' });
    const other = await join({ ...create(), token: 'other' }, 'another');
    expect(other.closeCode).toBeUndefined();
    relay.close();
    expect(stalled[0]?.closeCode).toBe(1012);
  });

  it.each([
    ['a text', 'hello'],
    ['nothing', new Uint8Array(0)],
    ['another frame', encodeFrame(FrameType.ping)],
    ['a HELLO that is none', encodeFrame(FrameType.hello, 0, new Uint8Array([0xff]))],
  ])('is not %s', async (_name, message) => {
    const socket = accept();
    socket.onMessage(message);
    expect(socket.closeCode).toBe(4400);
    expect(socket.refusal.code).toBe('protocol_error');
    await settle();
    expect(targets).toEqual([]);
  });

  it('comes alone', async () => {
    const socket = accept().hello(create());
    socket.type(0, 'too early');
    expect(socket.closeCode).toBe(4400);
    await settle();
    expect(typed()).toBe('');
  });

  it('needs a token that holds', async () => {
    const socket = await join({ ...create(), token: 'bad' });
    expect(socket.closeCode).toBe(4401);
    expect(socket.refusal).toMatchObject({ code: 'session_refused', retryable: false });
    expect(targets).toEqual([]);
  });

  it('needs a token for this sandbox', async () => {
    change = (access) => {
      access.sandboxId = 'another';
    };
    const socket = await join();
    expect(socket.closeCode).toBe(4403);
    expect(targets).toEqual([]);
  });

  it('opens nothing for one who may only watch', async () => {
    const socket = await join({ ...create(), token: 'ann:read' });
    expect(socket.closeCode).toBe(4403);
    expect(targets).toEqual([]);
  });

  it.each([
    [new NotFoundError('no process', { code: 'process_not_found' }), 4404, 'process_not_found', false],
    [new RateLimitError('slow', { retryAfterMs: 5 }), 4429, 'rate_limited', true],
    [new SandboxError('no script', { code: 'durable_unavailable' }), 4400, 'durable_unavailable', false],
    [new TemplateError('0.4', { code: 'envd_too_old' }), 4400, 'envd_too_old', false],
    [new NotEnoughSpaceError('full'), 4400, 'not_enough_space', false],
    [new ConnectionError('https://internal:1 is down'), 1012, 'connection_failed', true],
    [new TypeError('secret internals'), 1012, 'internal', true],
  ])('tells why a terminal cannot be had: %s', async (error, closeCode, code, retryable) => {
    open = () => Promise.reject(error);
    const socket = await join({ pty: 5 });
    expect(socket.closeCode).toBe(closeCode);
    expect(socket.refusal).toMatchObject({ code, retryable });
    expect(socket.refusal.message).not.toMatch(/internal:1|secret/);
    expect((await join({ pty: 5 })).closeCode).toBe(closeCode);
  });

  it('is counted by session', async () => {
    start({ maxSocketsPerSession: 2 });
    await join({ pty: 5, clientId: 'a' });
    await join({ pty: 6, clientId: 'b', mode: 'read' });
    expect((await join({ pty: 6, clientId: 'c', mode: 'read' })).closeCode).toBe(4429);
    expect((await join({ pty: 6, clientId: 'b', mode: 'read' })).closeCode).toBeUndefined();
    expect((await join({ pty: 6, clientId: 'c', mode: 'read', token: 'bob' })).closeCode).toBeUndefined();
  });

  it('is counted by subject over all of its sessions', async () => {
    start({ maxSocketsPerSubject: 2 });
    let session = 0;
    change = (access) => Object.assign(access, { sessionId: `session ${session++}` });
    const sockets = [];
    for (const clientId of ['a', 'b', 'c']) sockets.push(await join({ pty: 5, clientId, mode: 'read' }));
    expect(sockets.map(({ closeCode }) => closeCode)).toEqual([undefined, undefined, 4429]);
    expect((await join({ pty: 5, clientId: 'c', mode: 'read', token: 'bob' })).closeCode).toBeUndefined();
    sockets[0]?.drop();
    expect((await join({ pty: 5, clientId: 'c', mode: 'read' })).closeCode).toBeUndefined();
  });

  it('hands the trace of its upgrade to who judges its token', async () => {
    const traces: unknown[] = [];
    start({
      authorize: async (token, sandboxId, trace) => {
        traces.push(trace);
        return accessFor(token, sandboxId, open);
      },
    });
    const socket = new MemorySocket();
    relay.accept(socket, 'sandbox', { traceparent: '00-1' });
    socket.hello({ pty: 5 });
    await settle();
    await join({ pty: 5 });
    expect(traces).toEqual([{ traceparent: '00-1' }, {}]);
  });

  it('tells when it is left what went over it, and how long that was', async () => {
    const socket = await join({ pty: 5 });
    first().print('x'.repeat(1000));
    socket.type(0, 'yyyy');
    await vi.advanceTimersByTimeAsync(2_000);
    socket.drop();
    const detach = log.find(({ event }) => event === 'detach');
    expect(detach).toMatchObject({ receivedBytes: encodeFrame(FrameType.in, 0, new Uint8Array(4)).length });
    expect(detach?.durationMs).toBe(2_000);
    expect(detach?.sentBytes).toBeGreaterThan(1000);
    expect(detach?.sentBytes).toBeLessThan(1500);
  });

  it('is counted by session also where all come at once', async () => {
    start({ maxSocketsPerSession: 2 });
    const sockets = ['a', 'b', 'c', 'd'].map((clientId) =>
      accept().hello({ pty: 5, clientId, mode: 'read' }),
    );
    await settle();
    expect(sockets.map(({ closeCode }) => closeCode)).toEqual([undefined, undefined, 4429, 4429]);
  });
});

describe('a terminal', () => {
  it('is created once for one key, also when two ask at once', async () => {
    let finish: () => void = () => {};
    const opened = open;
    open = async (target) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return opened(target);
    };
    const dropped = accept().hello(create());
    await settle();
    dropped.drop();
    const again = accept().hello(create());
    await settle();
    finish();
    await settle();
    const later = await join(create());
    expect(targets).toHaveLength(1);
    expect(again.welcome.pty).toBe(1000);
    expect(later.welcome.pty).toBe(1000);
    expect(targets[0]).toEqual({ create: { size: { cols: 80, rows: 24 } } });
  });

  it('is another one for another key, subject or sandbox', async () => {
    await join(create('one'));
    await join(create('two'));
    await join({ ...create('one'), token: 'bob' });
    await join(create('one'), 'sandbox-2');
    expect(targets).toHaveLength(4);
  });

  it('is opened again by the same key when that failed', async () => {
    const opened = open;
    open = () => Promise.reject(new ConnectionError('down'));
    expect((await join()).closeCode).toBe(1012);
    open = opened;
    expect((await join()).closeCode).toBeUndefined();
  });

  it('is opened by process id, once for all, and apart from that of another sandbox', async () => {
    await Promise.all([
      join({ pty: 5, mode: 'read', clientId: 'a' }),
      join({ pty: 5, mode: 'read', clientId: 'b' }),
    ]);
    expect(targets).toEqual([{ pid: 5 }]);
    const other = await join({ pty: 5 }, 'sandbox-2');
    expect(targets).toHaveLength(2);
    first().print('secret of the first sandbox');
    await settle();
    expect(other.output).toBe('');
  });

  it('is not shown to another subject, who has to be let in by what opens terminals', async () => {
    const owner = await join();
    first().print('secret of ann');
    await settle();
    open = () => Promise.reject(new NotFoundError('no', { code: 'process_not_found' }));
    const other = await join({ token: 'bob', clientId: 'other', pty: owner.welcome.pty });
    expect(other.closeCode).toBe(4404);
    expect(other.output).toBe('');
    expect(owner.closeCode).toBeUndefined();
  });

  it('is another one for each Linux user of a subject', async () => {
    let user: string | undefined = 'root';
    change = (access) => {
      if (user !== undefined) access.user = user;
    };
    const asRoot = await join({ pty: 5, clientId: 'a' });
    user = undefined;
    const asDefault = await join({ pty: 5, clientId: 'b' });
    expect(upstreams).toHaveLength(2);
    expect(asDefault.welcome.epoch).not.toBe(asRoot.welcome.epoch);
    await join({ ...create(), clientId: 'c' });
    user = 'root';
    await join({ ...create(), clientId: 'd' });
    expect(upstreams).toHaveLength(4);
  });

  it('is one of not too many of a subject, of which those that nobody is at make room', async () => {
    start({ maxTerminalsPerSubject: 2 });
    await join({ ...create('a'), clientId: 'a' });
    await join({ pty: 5, clientId: 'b' });
    const third = await join({ ...create('c'), clientId: 'c' });
    expect(third.closeCode).toBe(4429);
    expect(third.refusal).toMatchObject({ code: 'too_many_terminals', retryable: true });
    expect(targets).toHaveLength(2);
    expect((await join({ ...create('c'), token: 'bob' })).closeCode).toBeUndefined();
    expect((await join({ pty: 5, clientId: 'b' })).closeCode).toBeUndefined();
    first().exit(0);
    await settle();
    const fourth = await join({ ...create('d'), clientId: 'd' });
    expect(fourth.closeCode).toBeUndefined();
    expect((await join({ ...create('e'), clientId: 'e' })).closeCode).toBe(4429);
    fourth.drop();
    expect((await join({ ...create('e'), clientId: 'e' })).closeCode).toBeUndefined();
    expect(upstreams.at(-2)?.closed).toBe(true);
  });

  it('is one of not too many of a session', async () => {
    start({ maxTerminalsPerSession: 1 });
    const one = await join({ ...create('a'), clientId: 'a' });
    const two = await join({ ...create('b'), clientId: 'b' });
    expect(two.refusal).toMatchObject({ code: 'too_many_terminals', message: /one session/ });
    change = (access) => Object.assign(access, { sessionId: 'another' });
    expect((await join({ ...create('c'), clientId: 'c' })).closeCode).toBeUndefined();
    change = () => {};
    one.drop();
    expect((await join({ ...create('b'), clientId: 'b' })).closeCode).toBeUndefined();
    expect(first().closed).toBe(true);
  });

  it('is forgotten when its channel breaks, and those who watch are told', async () => {
    const socket = await join();
    first().fail(new ConnectionError('gone', { code: 'connection_lost' }));
    await settle();
    expect(socket.closeCode).toBe(1012);
    expect(socket.refusal).toMatchObject({ code: 'connection_lost', retryable: true });
    expect(first().closed).toBe(true);
    const back = await join({ pty: 1000, epoch: socket.welcome.epoch, have: 3, acked: 3 });
    expect(targets).toHaveLength(2);
    expect(back.welcome.inputHave).toBeNull();
    expect(back.json(FrameType.gap)).toMatchObject([{ from: 3, to: null }]);
  });

  it('lives on without anybody, and everybody is sent away when the relay closes', async () => {
    const socket = await join();
    const waiting = accept();
    relay.close();
    expect(socket.closeCode).toBe(1012);
    expect(waiting.closeCode).toBe(1012);
    expect(first().closed).toBe(true);
    expect(accept().closeCode).toBe(1012);
  });

  it('keeps the sandbox alive while somebody is there', async () => {
    const keepAlive = vi.fn(async () => {});
    change = (access) => {
      access.keepAlive = keepAlive;
    };
    const socket = await join();
    expect(keepAlive).toHaveBeenCalledTimes(1);
    for (let minute = 0; minute < 12; minute++) {
      await vi.advanceTimersByTimeAsync(5_000);
      socket.onMessage(encodeFrame(FrameType.pong));
    }
    expect(keepAlive).toHaveBeenCalledTimes(2);
    socket.drop();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(keepAlive).toHaveBeenCalledTimes(2);
  });

  it('keeps a sandbox with a short life alive more often', async () => {
    const keepAlive = vi.fn(async () => {});
    change = (access) => Object.assign(access, { keepAlive, keepAliveMs: 2_000 });
    await join();
    await vi.advanceTimersByTimeAsync(8_000);
    expect(keepAlive).toHaveBeenCalledTimes(5);
  });

  it('is left with the reason when its session is over, and watches no longer once it is left', async () => {
    let end: (reason: unknown) => void = () => {};
    const stop = vi.fn();
    change = (access) => {
      access.watch = (onOver) => {
        end = onOver;
        return stop;
      };
    };
    const ended = await join({ pty: 5 });
    end(new AuthenticationError('The session was ended.', { code: 'session_revoked' }));
    expect(ended.closeCode).toBe(4401);
    expect(ended.refusal).toMatchObject({ code: 'session_revoked', message: 'The session was ended.' });
    expect(stop).toHaveBeenCalledTimes(1);
    const left = await join({ pty: 5 });
    left.onClose();
    expect(stop).toHaveBeenCalledTimes(2);
  });

  it('is told to come back where there is no telling whether its session is over', async () => {
    change = (access) => {
      access.watch = (onOver) => {
        setTimeout(() => onOver(new SandboxError('the store: hunter2', { code: 'broker_misconfigured' })));
        return () => undefined;
      };
    };
    const socket = await join({ pty: 5 });
    await vi.advanceTimersByTimeAsync(1);
    expect(socket.closeCode).toBe(1012);
    expect(JSON.stringify(socket.refusal)).not.toContain('hunter2');
  });

  it('is left when a socket is silent', async () => {
    const silent = await join({ pty: 6 });
    await vi.advanceTimersByTimeAsync(24_999);
    expect(silent.closeCode).toBeUndefined();
    expect(silent.of(FrameType.ping)).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(silent.closeCode).toBe(4408);
  });

  it('answers PINGs, but not a flood of them', async () => {
    const socket = await join({ pty: 5 });
    for (let interval = 0; interval < 3; interval++) {
      for (let ping = 0; ping < 32; ping++) socket.onMessage(encodeFrame(FrameType.ping));
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect(socket.of(FrameType.pong)).toHaveLength(96);
    for (let ping = 0; ping < 1000; ping++) socket.onMessage(encodeFrame(FrameType.ping));
    expect(socket.closeCode).toBe(4400);
    expect(socket.of(FrameType.pong).length).toBeLessThan(150);
  });

  it('lets go of a socket that does not read what it asks for', async () => {
    const socket = await join();
    socket.buffered = 5 * 1024 * kib;
    socket.type(0, 'x');
    await settle();
    expect(socket.closeCode).toBe(4408);
    expect(socket.inputAcked).toBe(0);
  });

  it('says nothing of tokens, input and output in the log', async () => {
    const socket = await join({ ...create(), token: 'ann' });
    socket.type(0, 'hidden-input');
    first().print('hidden-output');
    first().lose('the stream broke');
    await join({ ...create(), token: 'bad-hidden-token' });
    first().exit(1);
    await settle();
    expect(JSON.stringify(log)).not.toMatch(/hidden/);
    // Who judges tokens logs that one was refused.
    expect(log.map(({ event }) => event).sort()).toEqual(['attach', 'detach', 'exit', 'gap']);
    expect(log[0]).toMatchObject({
      sandboxId: 'sandbox',
      subject: 'ann',
      sessionId: 'session-ann',
      pid: 1000,
    });
  });
});

describe('output', () => {
  it('sends the first byte at once, and what follows on its heels together', async () => {
    const socket = await join();
    first().print('a');
    await settle();
    expect(socket.output).toBe('a');
    first().print('b');
    await settle();
    first().print('c');
    await settle();
    expect(socket.output).toBe('a');
    await vi.advanceTimersByTimeAsync(2);
    expect(socket.output).toBe('abc');
    expect(socket.of(FrameType.out)).toHaveLength(2);
  });

  it('waits for nothing once a frame is full', async () => {
    const socket = await join();
    first().print('a');
    await settle();
    first().print('b'.repeat(maxPayloadBytes));
    await settle();
    expect(socket.output).toHaveLength(1 + maxPayloadBytes);
  });

  it('goes on where a client left off, and starts at the beginning for a new one', async () => {
    const socket = await join();
    first().print('0123456789');
    await settle();
    socket.drop();
    const { epoch } = socket.welcome;
    const back = await join({ pty: 1000, epoch, have: 6, acked: 6 });
    expect(back.welcome).toMatchObject({ from: 6, head: 10, epoch, durable: false });
    expect(back.output).toBe('6789');
    const other = await join({ pty: 1000, clientId: 'new', mode: 'read' });
    expect(other.output).toBe('0123456789');
    expect(other.of(FrameType.gap)).toEqual([]);
  });

  it('is declared missing where a client has more than there is, or speaks of another epoch', async () => {
    const socket = await join();
    first().print('0123456789');
    await settle();
    const beyond = await join({ pty: 1000, epoch: socket.welcome.epoch, have: 11, acked: 11 });
    expect(beyond.json(FrameType.gap)).toMatchObject([{ from: 11, to: 0 }]);
    expect(beyond.output).toBe('0123456789');
    const stranger = await join({ pty: 1000, epoch: 'another', have: 4, acked: 4 });
    expect(stranger.json(FrameType.gap)).toMatchObject([{ from: 4, to: null }]);
    expect(stranger.welcome.inputHave).toBeNull();
    expect(stranger.output).toBe('0123456789');
  });

  it('passes on what the channel itself lost', async () => {
    const socket = await join();
    first().print('before');
    first().lose('the connection to envd was lost');
    first().print('after');
    await vi.advanceTimersByTimeAsync(5);
    expect(socket.frames.slice(2).map(({ type, offset }) => [type, offset])).toEqual([
      [FrameType.out, 0],
      [FrameType.gap, 6],
      [FrameType.out, 6],
    ]);
    const later = await join({ pty: 1000, clientId: 'later', mode: 'read' });
    expect(later.json(FrameType.gap)).toMatchObject([{ from: 6, to: null }]);
  });

  it('keeps to the window of the writer, and reads at most 256 KiB past its acknowledgement', async () => {
    const socket = await join({ ...create(), window: 64 * kib });
    for (let at = 0; at < 1_024; at += 16) first().print(new Uint8Array(16 * kib).fill(97));
    await vi.advanceTimersByTimeAsync(50);
    expect(socket.end).toBe(64 * kib);
    expect(first().read).toBeLessThanOrEqual(256 * kib);
    expect(first().read).toBeGreaterThan(200 * kib);
    socket.ack(40 * kib);
    await vi.advanceTimersByTimeAsync(50);
    expect(socket.end).toBe(104 * kib);
    expect(first().read).toBeLessThanOrEqual(296 * kib);
    while (socket.end < 1_024 * kib) {
      socket.ack(socket.end);
      await vi.advanceTimersByTimeAsync(5);
    }
    expect(socket.output).toHaveLength(1_024 * kib);
  });

  it('may not be acknowledged before it was sent', async () => {
    const socket = await join();
    socket.ack(1);
    expect(socket.closeCode).toBe(4400);
  });

  it('is not held back by a viewer, who is told what it missed', async () => {
    start({ ringBytes: 128 * kib });
    const writer = await join();
    const viewer = await join({ pty: 1000, clientId: 'viewer', mode: 'read', window: 16 * kib });
    for (let line = 0; line < 512; line++) {
      first().print(`${'x'.repeat(kib - 1)}\n`);
      await vi.advanceTimersByTimeAsync(2);
      writer.ack(writer.end);
    }
    expect(writer.output).toHaveLength(512 * kib);
    expect(viewer.end).toBe(16 * kib);
    viewer.ack(16 * kib);
    await settle();
    expect(viewer.json(FrameType.gap)).toEqual([
      { from: 16 * kib, to: 385 * kib, reason: 'older output is no longer kept' },
    ]);
    expect(viewer.end).toBe(401 * kib);
    while (viewer.end < 512 * kib) {
      viewer.ack(viewer.end);
      await settle();
    }
    expect(viewer.of(FrameType.gap)).toHaveLength(1);
  });

  it('fills the ring while nobody is there, is held back for the grace time, and then overwritten', async () => {
    start({ ringBytes: 128 * kib, graceMs: 1_000 });
    const socket = await join();
    const { epoch } = socket.welcome;
    first().print('begin');
    await settle();
    socket.ack(5);
    socket.drop();
    for (let line = 0; line < 512; line++) first().print(`${'x'.repeat(kib - 1)}\n`);
    await vi.advanceTimersByTimeAsync(999);
    expect(first().read).toBeLessThanOrEqual(128 * kib);
    expect(first().read).toBeGreaterThan(90 * kib);
    const back = await join({ pty: 1000, epoch, have: 5, acked: 5 });
    expect(back.of(FrameType.gap)).toEqual([]);
    back.drop();
    await vi.advanceTimersByTimeAsync(1_100);
    expect(first().read).toBe(512 * kib + 5);
    const late = await join({ pty: 1000, epoch, have: 5, acked: 5 });
    expect(late.json(FrameType.gap)).toMatchObject([{ from: 5, to: 385 * kib + 5 }]);
    expect(late.welcome.from).toBe(385 * kib + 5);
    // Programs are made to paint their screens again.
    expect(first().sizes.slice(-2)).toEqual([
      { cols: 80, rows: 23 },
      { cols: 80, rows: 24 },
    ]);
  });

  it('ends with EXIT after the last byte, also for those who come within the time of the tombstone', async () => {
    start({ tombstoneMs: 10_000 });
    const socket = await join({ ...create(), window: 16 * kib });
    first().print('x'.repeat(20 * kib));
    first().exit(3);
    await vi.advanceTimersByTimeAsync(10);
    expect(socket.of(FrameType.exit)).toEqual([]);
    socket.ack(10 * kib);
    const [exit] = socket.of(FrameType.exit);
    expect(exit?.offset).toBe(20 * kib);
    expect(socket.json(FrameType.exit)).toMatchObject([{ exitCode: 3, status: 'exit status 3' }]);
    expect(socket.closeCode).toBe(4410);

    const late = await join({ pty: 1000, clientId: 'late' });
    expect(late.end).toBe(20 * kib);
    expect(late.of(FrameType.exit)).toHaveLength(1);
    expect(targets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    open = () => Promise.reject(new NotFoundError('no such process', { code: 'process_not_found' }));
    expect((await join({ pty: 1000 })).closeCode).toBe(4404);
  });
});

describe('a new token', () => {
  it('is what the socket lives by from then on, without a cut', async () => {
    const ends = new Map<string, (reason: unknown) => void>();
    const watched: string[] = [];
    change = (access) => {
      const session = `session-${ends.size}`;
      access.sessionId = session;
      access.watch = (onOver) => {
        watched.push(session);
        ends.set(session, onOver);
        return () => watched.splice(watched.indexOf(session), 1);
      };
    };
    const socket = await join();
    socket.refresh('ann');
    await settle();
    expect(watched).toEqual(['session-1']);
    socket.type(0, 'ls');
    first().print('out');
    await settle();
    expect([typed(), socket.output, socket.closeCode]).toEqual(['ls', 'out', undefined]);
    ends.get('session-1')?.(new AuthenticationError('over', { code: 'session_expired' }));
    expect(socket.closeCode).toBe(4401);
    expect(watched).toEqual([]);
  });

  it.each([
    ['bad', 'session_refused'],
    ['bob', 'other_subject'],
  ])('of nobody, and of somebody else, ends it: %s', async (token, code) => {
    const socket = await join();
    socket.refresh(token);
    await settle();
    expect(socket.closeCode).toBe(4401);
    expect(socket.refusal.code).toBe(code);
  });

  it.each(['owner', 'user', 'sandboxId'] as const)('of another %s ends it', async (key) => {
    const socket = await join();
    change = (access) => {
      access[key] = 'another';
    };
    socket.refresh('ann');
    await settle();
    expect(socket.refusal.code).toBe('other_subject');
    expect(log.at(-2)).toMatchObject({ event: 'refuse', detail: 'other_subject' });
  });

  it('makes a viewer of a writer whose session may only watch from then on', async () => {
    const socket = await join();
    first().beforeInput = () => new Promise(() => {});
    socket.type(0, 'a');
    socket.type(1, 'b');
    socket.refresh('ann:read');
    await settle();
    expect(socket.json(FrameType.mode)).toEqual([{ mode: 'read', reason: 'read_only' }]);
    expect(socket.of(FrameType.notExecuted)[0]).toMatchObject({ offset: 1 });
    socket.askToWrite();
    expect(socket.json(FrameType.mode).at(-1)).toEqual({ mode: 'read', reason: 'read_only' });
    socket.refresh('ann');
    await settle();
    expect(socket.json(FrameType.mode).at(-1)).toEqual({ mode: 'read' });
    socket.askToWrite();
    expect(socket.json(FrameType.mode).at(-1)).toEqual({ mode: 'write' });
  });

  it('counts alone where several are judged at once, and not too many are', async () => {
    const waits: (() => void)[] = [];
    const socket = await join();
    const before = open;
    relay.close();
    let isSlow = false;
    start({
      authorize: async (token, sandboxId) => {
        if (isSlow) await new Promise<void>((resolve) => waits.push(resolve));
        return accessFor(token, sandboxId, before);
      },
    });
    expect(socket.closeCode).toBe(1012);
    const other = await join({ pty: 7 });
    isSlow = true;
    other.refresh('bad');
    other.refresh('ann:read');
    waits[1]?.();
    await settle();
    waits[0]?.();
    await settle();
    expect(other.closeCode).toBeUndefined();
    expect(other.json(FrameType.mode)).toEqual([{ mode: 'read', reason: 'read_only' }]);
    for (let count = 0; count < 40; count++) other.refresh('ann');
    expect(other.closeCode).toBe(4400);
    for (const go of waits) go();
  });
});

describe('input', () => {
  it('is executed in order, one call at a time, and acknowledged afterwards', async () => {
    const socket = await join();
    let release: () => void = () => {};
    first().beforeInput = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    socket.type(0, 'a');
    socket.type(1, 'b');
    socket.type(2, 'c');
    await settle();
    expect(first().sends).toBe(1);
    expect(socket.inputAcked).toBe(0);
    release();
    await settle();
    expect(socket.inputAcked).toBe(1);
    expect(first().sends).toBe(2);
    release();
    await settle();
    expect(typed()).toBe('abc');
    expect(socket.inputAcked).toBe(3);
  });

  it('is not executed twice when a client sends it again', async () => {
    const socket = await join();
    socket.type(0, 'abc');
    socket.type(0, 'abc');
    socket.type(1, 'bcde');
    await settle();
    expect(typed()).toBe('abcde');
    socket.drop();
    const back = await join({ pty: 1000, epoch: socket.welcome.epoch });
    expect(back.welcome.inputHave).toBe(5);
    expect(back.inputAcked).toBe(5);
    back.type(3, 'def');
    await settle();
    expect(typed()).toBe('abcdef');
  });

  it('may have no hole and no frame beyond 1 KiB', async () => {
    const hole = await join();
    hole.type(1, 'x');
    expect(hole.closeCode).toBe(4400);
    const long = await join({ pty: 1000 });
    long.type(0, 'x'.repeat(1_025));
    expect(long.closeCode).toBe(4400);
    await settle();
    expect(typed()).toBe('');
  });

  it('is bounded when the terminal does not take it', async () => {
    const socket = await join();
    first().beforeInput = () => new Promise(() => {});
    for (let offset = 0; offset < 400 * kib && socket.closeCode === undefined; offset += kib) {
      socket.type(offset, 'x'.repeat(kib));
    }
    expect(socket.closeCode).toBe(4400);
  });

  it('is bounded also over all clients that leave some behind', async () => {
    const opener = await join();
    const { epoch } = opener.welcome;
    opener.drop();
    let release: () => void = () => {};
    first().beforeInput = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const refused = [];
    for (let client = 0; client < 6; client++) {
      const socket = await join({ pty: 1000, epoch, clientId: `c${client}` });
      for (let offset = 0; offset < 255 * kib; offset += kib) socket.type(offset, 'x'.repeat(kib));
      await settle();
      refused.push(...socket.json(FrameType.notExecuted));
      socket.drop();
    }
    expect(refused[0]).toMatchObject({ reason: 'too much input waits' });
    first().beforeInput = async () => {};
    release();
    await settle();
    expect(first().input.length).toBeLessThanOrEqual(1041 * kib);
    expect(first().input.length).toBeGreaterThan(1000 * kib);
  });

  it('that waits byte by byte is kept together and in order', async () => {
    const socket = await join();
    let release: () => void = () => {};
    first().beforeInput = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const text = Array.from({ length: 3000 }, (_, index) => String.fromCharCode(97 + (index % 26))).join('');
    for (let offset = 0; offset < text.length; offset++) socket.type(offset, text[offset] as string);
    first().beforeInput = async () => {};
    release();
    await settle();
    expect(typed()).toBe(text);
    expect(socket.inputAcked).toBe(3000);
  });

  it.each([
    ['input_not_executed', FrameType.notExecuted],
    ['input_uncertain', FrameType.uncertain],
    ['connection_lost', FrameType.uncertain],
  ])('is reported when it was lost: %s', async (code, type) => {
    const socket = await join();
    let fail: (error: Error) => void = () => {};
    first().beforeInput = () =>
      new Promise((_, reject) => {
        fail = reject;
      });
    socket.type(0, 'ab');
    socket.type(2, 'cd');
    fail(new ConnectionError('lost', { code }));
    await settle();
    expect(socket.of(type)[0]).toMatchObject({ offset: 0 });
    const ranges = [...socket.json(FrameType.notExecuted), ...socket.json(FrameType.uncertain)];
    expect(ranges.map((range) => (range as { to: number }).to).sort()).toEqual([2, 4]);
    expect(socket.inputAcked).toBe(4);
    first().beforeInput = async () => {};
    socket.type(4, 'ef');
    await settle();
    expect(typed()).toBe('ef');
    socket.drop();
    const back = await join({ pty: 1000, epoch: socket.welcome.epoch });
    expect(back.of(type)[0]).toMatchObject({ offset: 0 });
    expect(back.inputAcked).toBe(6);
  });

  it('of an older writer is not executed when a newer one takes over', async () => {
    const older = await join();
    let release: () => void = () => {};
    first().beforeInput = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    older.type(0, 'in flight');
    older.type(9, 'queued');
    const newer = await join({ pty: 1000, clientId: 'other', cols: 100, rows: 30 });
    expect(older.json(FrameType.mode)).toEqual([{ mode: 'read', reason: 'taken_over' }]);
    expect(older.of(FrameType.mode)[0]?.offset).toBe(15);
    expect(older.of(FrameType.notExecuted)[0]).toMatchObject({ offset: 9 });
    older.type(15, 'too late');
    older.resize(1, 50, 20);
    newer.type(0, 'newer');
    release();
    await settle();
    release();
    await settle();
    expect(typed()).toBe('in flightnewer');
    expect(first().sizes.at(-1)).toEqual({ cols: 100, rows: 30 });
    expect(older.closeCode).toBeUndefined();
    expect(older.json(FrameType.notExecuted)).toEqual([
      { to: 15, reason: 'another window took over' },
      { to: 23, reason: 'another window took over' },
    ]);
    expect(older.inputAcked).toBe(23);
    expect(log.filter(({ event }) => event === 'takeover')).toMatchObject([{ subject: 'ann', pid: 1000 }]);
  });

  it('is taken back by one who asks, whom a lost connection does not make the writer again', async () => {
    const older = await join();
    const newer = await join({ pty: 1000, clientId: 'other' });
    older.askToWrite();
    expect(older.json(FrameType.mode).at(-1)).toEqual({ mode: 'write' });
    expect(newer.json(FrameType.mode)).toEqual([{ mode: 'read', reason: 'taken_over' }]);
    older.resize(1, 90, 20);
    older.type(0, 'older');
    newer.type(0, 'newer');
    await settle();
    expect(typed()).toBe('older');
    expect(first().sizes).toEqual([{ cols: 90, rows: 20 }]);
    older.askToWrite();
    expect(older.json(FrameType.mode).at(-1)).toEqual({ mode: 'write' });
    expect(newer.of(FrameType.mode)).toHaveLength(1);

    newer.drop();
    const { epoch } = older.welcome;
    const back = await join({ pty: 1000, clientId: 'other', epoch });
    expect(back.welcome).toMatchObject({ mode: 'read', reason: 'taken_over' });
    expect(older.of(FrameType.mode)).toHaveLength(3);
    older.drop();
    await settle();
    // Nobody becomes the writer without having asked for it.
    expect(back.of(FrameType.mode)).toEqual([]);
    back.type(5, 'x');
    await settle();
    expect(typed()).toBe('older');
    const again = await join({ pty: 1000, epoch });
    expect(again.welcome.mode).toBe('write');
    expect(again.welcome.reason).toBeUndefined();
  });

  it('is written by nobody who may only watch, and asks too often', async () => {
    const writer = await join();
    const viewer = await join({ pty: 1000, clientId: 'viewer', token: 'ann:read' });
    expect(viewer.welcome).toMatchObject({ mode: 'read', reason: 'read_only' });
    viewer.askToWrite();
    expect(viewer.json(FrameType.mode)).toEqual([{ mode: 'read', reason: 'read_only' }]);
    expect(writer.of(FrameType.mode)).toEqual([]);
    for (let count = 0; count < 40; count++) viewer.askToWrite();
    expect(viewer.closeCode).toBe(4400);
    writer.onMessage(encodeJson(FrameType.mode, 0, { mode: 'read' }));
    expect(writer.closeCode).toBe(4400);
  });

  it('of a takeover is held back no further than the new writer has read', async () => {
    await join();
    const viewer = await join({ pty: 1000, clientId: 'viewer', mode: 'read' });
    viewer.askToWrite();
    first().print('x'.repeat(32 * kib));
    for (let count = 0; count < 20; count++) first().print('x'.repeat(32 * kib));
    await vi.advanceTimersByTimeAsync(10);
    expect(first().read).toBeLessThanOrEqual(256 * kib);
    viewer.ack(viewer.end);
    await vi.advanceTimersByTimeAsync(10);
    expect(first().read).toBeGreaterThan(256 * kib);
  });

  it('goes on through a newer socket of the same client', async () => {
    const older = await join();
    older.type(0, 'one ');
    const newer = await join({ pty: 1000, epoch: older.welcome.epoch });
    expect(older.closeCode).toBe(4409);
    expect(older.refusal.code).toBe('replaced');
    expect(newer.welcome.inputHave).toBe(4);
    newer.type(4, 'two');
    await settle();
    expect(typed()).toBe('one two');
  });

  it('is left to the socket that said HELLO last, also when an older one is let in later', async () => {
    await join();
    const waits: (() => void)[] = [];
    relay.close();
    start({
      authorize: async (token, sandboxId) => {
        await new Promise<void>((resolve) => waits.push(resolve));
        return accessFor(token, sandboxId, open);
      },
    });
    const older = accept().hello({ pty: 7 });
    await settle();
    const newer = accept().hello({ pty: 7 });
    await settle();
    waits[1]?.();
    await settle();
    waits[0]?.();
    await settle();
    expect(newer.closeCode).toBeUndefined();
    expect(older.closeCode).toBe(4409);
    newer.type(0, 'x');
    await settle();
    expect(newer.inputAcked).toBe(1);

    const early = accept().hello({ pty: 7, clientId: 'early' });
    await settle();
    const late = accept().hello({ pty: 7, clientId: 'late' });
    await settle();
    waits[3]?.();
    await settle();
    waits[2]?.();
    await settle();
    expect(late.welcome.mode).toBe('write');
    expect(early.welcome).toMatchObject({ mode: 'read', reason: 'taken_over' });
    expect(late.of(FrameType.mode)).toEqual([]);
  });

  it('of a viewer is refused', async () => {
    await join();
    for (const attempt of [
      (socket: MemorySocket) => socket.type(0, 'x'),
      (socket: MemorySocket) => socket.resize(1, 10, 10),
    ]) {
      const viewer = await join({ pty: 1000, clientId: 'viewer', token: 'ann:read' });
      expect(viewer.welcome.mode).toBe('read');
      attempt(viewer);
      expect(viewer.closeCode).toBe(4403);
      const watching = await join({ pty: 1000, clientId: 'watching', mode: 'read' });
      expect(watching.welcome).toMatchObject({ mode: 'read' });
      expect(watching.welcome.reason).toBeUndefined();
      attempt(watching);
      expect(watching.closeCode).toBeUndefined();
    }
    await settle();
    expect(typed()).toBe('');
    expect(first().sizes).toEqual([]);
  });

  it('waits for its fate before the exit that it may have caused is told', async () => {
    const socket = await join();
    let release: () => void = () => {};
    first().beforeInput = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    socket.type(0, 'exit\r');
    first().exit(0);
    await settle();
    expect(socket.of(FrameType.exit)).toEqual([]);
    release();
    await settle();
    expect(socket.frames.slice(-2).map(({ type, offset }) => [type, offset])).toEqual([
      [FrameType.ack, 5],
      [FrameType.exit, 0],
    ]);
  });

  it('is never made of garbage', async () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string(),
      fc
        .tuple(fc.constantFrom(...Object.values(FrameType)), fc.nat(), fc.uint8Array({ maxLength: 40 }))
        // Input in its place is no garbage.
        .filter(([type, offset]) => type !== FrameType.in || offset > 0)
        .map(([type, offset, payload]) => encodeFrame(type, offset, payload)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(garbage, { minLength: 1, maxLength: 5 }), async (messages) => {
        const socket = await join({ pty: 9 });
        for (const message of messages) socket.onMessage(message);
        await settle();
        expect([undefined, 4400]).toContain(socket.closeCode);
        expect(first().input).toHaveLength(0);
      }),
      { seed: 20_261_123, numRuns: 300 },
    );
  });
});

describe('the size', () => {
  it('follows the newest wish of the writer', async () => {
    const socket = await join();
    socket.resize(1, 100, 40);
    socket.resize(3, 120, 50);
    socket.resize(2, 110, 45);
    expect(first().sizes).toEqual([
      { cols: 100, rows: 40 },
      { cols: 120, rows: 50 },
    ]);
    socket.drop();
    const back = await join({ pty: 1000, epoch: socket.welcome.epoch, cols: 90, rows: 20 });
    expect(back.welcome.size).toEqual({ cols: 120, rows: 50 });
    expect(first().sizes.at(-1)).toEqual({ cols: 90, rows: 20 });
  });

  it('is told to everybody with the output that it belongs to, also to those who come later', async () => {
    const writer = await join();
    first().print('wide');
    await vi.advanceTimersByTimeAsync(5);
    const viewer = await join({ pty: 1000, clientId: 'viewer', mode: 'read', cols: 10, rows: 10 });
    expect(viewer.welcome.size).toEqual({ cols: 80, rows: 24 });
    writer.resize(1, 50, 20);
    first().print('narrow');
    await vi.advanceTimersByTimeAsync(5);
    writer.resize(2, 60, 20);
    writer.resize(3, 60, 20);
    const sized = [
      [FrameType.out, 0],
      [FrameType.size, 4],
      [FrameType.out, 4],
      [FrameType.size, 10],
    ];
    for (const socket of [writer, viewer]) {
      expect(socket.frames.filter(isOutput).map(({ type, offset }) => [type, offset])).toEqual(sized);
      expect(socket.json(FrameType.size)).toEqual([
        { cols: 50, rows: 20 },
        { cols: 60, rows: 20 },
      ]);
    }
    const later = await join({ pty: 1000, clientId: 'later', mode: 'read' });
    expect(later.welcome.size).toEqual({ cols: 80, rows: 24 });
    expect(later.frames.filter(isOutput).map(({ type, offset }) => [type, offset])).toEqual(sized);
    const back = await join({
      pty: 1000,
      clientId: 'back',
      mode: 'read',
      epoch: later.welcome.epoch,
      have: 6,
      acked: 6,
    });
    expect(back.welcome.size).toEqual({ cols: 50, rows: 20 });
  });

  it('is told again to one who falls behind', async () => {
    const writer = await join();
    const viewer = await join({ pty: 1000, clientId: 'viewer', mode: 'read', window: 16 * kib });
    first().print('x'.repeat(32 * kib));
    await vi.advanceTimersByTimeAsync(5);
    writer.resize(1, 50, 20);
    for (let count = 0; count < 80; count++) {
      first().print('x'.repeat(32 * kib));
      await vi.advanceTimersByTimeAsync(5);
      writer.ack(writer.end);
    }
    expect(viewer.of(FrameType.size)).toEqual([]);
    viewer.ack(viewer.end);
    expect(viewer.of(FrameType.gap)).toHaveLength(1);
    expect(viewer.json(FrameType.size)).toEqual([{ cols: 50, rows: 20 }]);
  });

  it('of a HELLO is applied when the replay has reached the head', async () => {
    const socket = await join();
    first().print('x'.repeat(100 * kib));
    await vi.advanceTimersByTimeAsync(10);
    socket.drop();
    const back = await join({ pty: 1000, epoch: socket.welcome.epoch, window: 64 * kib, cols: 90, rows: 20 });
    expect(back.end).toBe(64 * kib);
    expect(first().sizes).toEqual([]);
    back.ack(64 * kib);
    expect(first().sizes).toEqual([{ cols: 90, rows: 20 }]);
  });
});
