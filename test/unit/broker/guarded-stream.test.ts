import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { guardStream, type StreamEnd, type StreamGuard } from '../../../src/broker/guarded-stream.js';
import { sessionRevoked } from '../../../src/broker/refusals.js';
import type { SessionLife } from '../../../src/broker/session-life.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function guarded(life: SessionLife, more: Partial<StreamGuard> = {}) {
  const seen: number[] = [];
  const upstream = { pulled: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        upstream.pulled++;
        if (upstream.pulled > 3) return new Promise(() => undefined);
        controller.enqueue(new Uint8Array([upstream.pulled]));
      },
      cancel() {
        upstream.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const gone = new AbortController();
  const ends: StreamEnd[] = [];
  const stream = guardStream(body, {
    life,
    signal: gone.signal,
    onChunk: ([byte = 0]) => seen.push(byte),
    onEnd: (end) => ends.push(end),
    ...more,
  });
  return { reader: stream.getReader(), seen, upstream, gone, ends };
}

describe('a stream', () => {
  test('is passed on piece by piece, and no further than it is read', async () => {
    const { reader, seen, upstream } = guarded({});
    expect((await reader.read()).value).toEqual(new Uint8Array([1]));
    expect((await reader.read()).value).toEqual(new Uint8Array([2]));
    expect(seen).toEqual([1, 2]);
    expect(upstream.pulled).toBe(2);
  });

  test('keeps the sandbox alive from its beginning until it is left, also where that fails', async () => {
    const extend = vi.fn(() => Promise.reject(new Error('busy')));
    const { reader } = guarded({ keepAlive: { everyMs: 10_000, extend } });
    expect(extend).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(extend).toHaveBeenCalledTimes(3);
    await reader.cancel();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(extend).toHaveBeenCalledTimes(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is ended upstream when it is left, and holds no timer then', async () => {
    const { reader, upstream } = guarded({ until: Date.now() + 1000, check: async () => undefined });
    await reader.cancel();
    expect(upstream.cancelled).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('breaks off at the end of its session', async () => {
    const { reader, upstream, ends } = guarded({ until: Date.now() + 60_000 });
    await reader.read();
    await vi.advanceTimersByTimeAsync(59_999);
    await reader.read();
    await vi.advanceTimersByTimeAsync(1);
    await expect(reader.read()).rejects.toMatchObject({ code: 'session_expired' });
    expect(ends).toEqual(['cut']);
    expect(upstream.cancelled).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('ends with the signal of its caller', async () => {
    const { reader, upstream, gone, ends } = guarded({ until: Date.now() + 60_000 });
    await reader.read();
    gone.abort(new Error('gone'));
    await expect(reader.read()).rejects.toThrow('gone');
    expect(upstream.cancelled).toBe(true);
    expect(ends).toEqual(['left']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that is an answer ends in good order with the signal of its caller', async () => {
    const { reader, upstream, gone, ends } = guarded({}, { endsQuietly: true });
    await reader.read();
    gone.abort(new Error('gone'));
    expect(await reader.read()).toMatchObject({ done: true });
    expect(upstream.cancelled).toBe(true);
    expect(ends).toEqual(['left']);
  });

  test('is whole with the last of the bytes that were announced, whatever the signal does then', async () => {
    const { reader, gone, ends } = guarded({}, { length: 2 });
    await reader.read();
    expect(ends).toEqual([]);
    await reader.read();
    expect(ends).toEqual(['done']);
    gone.abort(new Error('gone'));
    expect(await reader.read()).toMatchObject({ done: true });
    expect(ends).toEqual(['done']);
  });

  test('that nobody begins to read within a minute is let go', async () => {
    const { reader, upstream, ends } = guarded({ until: Date.now() + 600_000 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ends).toEqual(['abandoned']);
    expect(upstream.cancelled).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    await expect(reader.read()).rejects.toThrow('nobody');
  });

  test('of a session that lasts longer than a timer can wait goes on', async () => {
    const { reader } = guarded({ until: Date.now() + 2 ** 40 });
    await reader.read();
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await reader.read()).done).toBe(false);
  });

  test('breaks off within 30 s where its session was revoked', async () => {
    let revoked = false;
    const { reader, upstream } = guarded({
      check: async () => {
        if (revoked) throw sessionRevoked();
      },
    });
    await reader.read();
    await vi.advanceTimersByTimeAsync(60_000);
    await reader.read();
    revoked = true;
    await vi.advanceTimersByTimeAsync(30_000);
    await expect(reader.read()).rejects.toMatchObject({ code: 'session_revoked' });
    expect(upstream.cancelled).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('breaks off within 30 s where the store does not answer, but goes on where it failed once', async () => {
    let failures = 1;
    const { reader } = guarded({
      check: async () => {
        if (failures-- > 0) throw new Error('down');
      },
    });
    await reader.read();
    await vi.advanceTimersByTimeAsync(60_000);
    await reader.read();
    failures = 2;
    await vi.advanceTimersByTimeAsync(30_000);
    await expect(reader.read()).rejects.toThrow('down');
    expect(vi.getTimerCount()).toBe(0);
  });
});
