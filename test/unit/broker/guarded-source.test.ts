import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { guardStream, type StreamGuard } from '../../../src/broker/guarded-stream.js';
import { sessionRevoked } from '../../../src/broker/refusals.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** A guarded stream whose source says what it is told to. */
function guarded(guard: Partial<StreamGuard> = {}) {
  const source = { cancel: vi.fn((_reason: unknown): Promise<void> => Promise.resolve()) };
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(its) {
      controller = its;
    },
    cancel: (reason) => source.cancel(reason),
  });
  const onEnd = vi.fn();
  const stream = guardStream(body, { life: {}, onEnd, ...guard });
  const say = (...bytes: number[]) => controller?.enqueue(new Uint8Array(bytes));
  return { stream, reader: stream.getReader(), source, onEnd, say, controller };
}

const revoked = { check: () => Promise.reject(sessionRevoked()) };

describe('a source', () => {
  test('that ends is one end', async () => {
    const { reader, controller, say, onEnd } = guarded();
    say(1);
    await reader.read();
    controller?.close();
    expect((await reader.read()).done).toBe(true);
    expect(onEnd.mock.calls).toEqual([['done', undefined]]);
  });

  test('that breaks off breaks off', async () => {
    const { reader, controller, onEnd } = guarded();
    const reason = new Error('reset');
    controller?.error(reason);
    await expect(reader.read()).rejects.toBe(reason);
    expect(onEnd.mock.calls).toEqual([['broken', reason]]);
  });

  test('is told why it is left', async () => {
    const { reader, source, onEnd } = guarded();
    const reason = new Error('enough');
    await reader.cancel(reason);
    expect(source.cancel).toHaveBeenCalledWith(reason);
    expect(onEnd.mock.calls).toEqual([['left', reason]]);
  });

  test('that cannot be left is nobody’s concern', async () => {
    const gone = new AbortController();
    const { reader, source } = guarded({ signal: gone.signal, endsQuietly: true });
    source.cancel.mockRejectedValue(new Error('broken already'));
    gone.abort();
    expect((await reader.read()).done).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(source.cancel).toHaveBeenCalledTimes(1);
  });

  test('of a stream that was whole is read to its end, so that its connection serves others', async () => {
    const { reader, controller, say, source, onEnd } = guarded({ length: 3 });
    say(1, 2);
    await reader.read();
    expect(onEnd).not.toHaveBeenCalled();
    say(3);
    await reader.read();
    controller?.error(new Error('reset'));
    expect((await reader.read()).done).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(onEnd.mock.calls).toEqual([['done', undefined]]);
    expect(source.cancel).not.toHaveBeenCalled();
  });
});

describe('a caller', () => {
  test('that is gone before the stream began is left at once', async () => {
    const reason = new Error('gone');
    const { reader, onEnd, source } = guarded({ signal: AbortSignal.abort(reason) });
    await expect(reader.read()).rejects.toBe(reason);
    expect(onEnd.mock.calls).toEqual([['left', reason]]);
    expect(source.cancel).toHaveBeenCalledWith(reason);
  });

  test('that goes after the end is none of the stream’s', async () => {
    for (const endsQuietly of [true, false]) {
      const gone = new AbortController();
      const remove = vi.spyOn(gone.signal, 'removeEventListener');
      const { reader, onEnd, source } = guarded({ signal: gone.signal, endsQuietly });
      await reader.cancel();
      expect(remove).toHaveBeenCalledWith('abort', expect.any(Function));
      gone.abort();
      expect(onEnd).toHaveBeenCalledTimes(1);
      expect(source.cancel).toHaveBeenCalledTimes(1);
    }
  });

  test('that goes with a read under way gets no more', async () => {
    const gone = new AbortController();
    const onChunk = vi.fn();
    const { reader, say, onEnd } = guarded({ signal: gone.signal, endsQuietly: true, onChunk });
    const read = reader.read();
    await vi.advanceTimersByTimeAsync(0);
    say(1);
    gone.abort();
    expect((await read).done).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(onChunk).not.toHaveBeenCalled();
    expect(onEnd).toHaveBeenCalledTimes(1);
  });
});

describe('a session that is over', () => {
  test('has its last words said, after which the stream is whole', async () => {
    const lastWords = vi.fn(() => new Uint8Array([9]));
    const { reader, say, source, onEnd } = guarded({ life: revoked, lastWords });
    say(1);
    await reader.read();
    const read = reader.read();
    await vi.advanceTimersByTimeAsync(24_000);
    expect((await read).value).toEqual(new Uint8Array([9]));
    expect((await reader.read()).done).toBe(true);
    const over = expect.objectContaining({ code: 'session_revoked' });
    expect(lastWords.mock.calls).toEqual([[over]]);
    expect(onEnd.mock.calls).toEqual([['cut', over]]);
    expect(source.cancel).toHaveBeenCalledWith(over);
  });

  test('breaks off where there is nothing to be said', async () => {
    const { reader, onEnd, say } = guarded({ life: revoked, lastWords: () => undefined });
    say(1);
    await reader.read();
    await vi.advanceTimersByTimeAsync(24_000);
    await expect(reader.read()).rejects.toMatchObject({ code: 'session_revoked' });
    expect(onEnd).toHaveBeenCalledTimes(1);
  });
});

test('a piece that is not to pass breaks off the stream', async () => {
  const reason = new Error('too large');
  const { reader, say, source, onEnd } = guarded({
    onChunk: () => {
      throw reason;
    },
  });
  say(1);
  await expect(reader.read()).rejects.toBe(reason);
  expect(onEnd.mock.calls).toEqual([['broken', reason]]);
  expect(source.cancel).toHaveBeenCalledWith(reason);
});

test('a stream whose end nobody waits for ends all the same', async () => {
  const reader = guardStream(new Response('a').body as ReadableStream<Uint8Array>, { life: {} }).getReader();
  expect((await reader.read()).value).toEqual(new Uint8Array([97]));
  expect((await reader.read()).done).toBe(true);
});
