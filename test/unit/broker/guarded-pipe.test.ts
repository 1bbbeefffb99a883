import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lengthOf, pipeFixedLength } from '../../../src/broker/fixed-length.js';
import { guardPipe } from '../../../src/broker/guarded-pipe.js';
import type { StreamEnd } from '../../../src/broker/guarded-stream.js';
import { FixedLengthStream } from './support/fixed-length-stream.js';

const pieces = [new Uint8Array(3).fill(1), new Uint8Array(4).fill(2)];
const gone = new Error('gone');

function bodyOf(...chunks: (Uint8Array | Error)[]): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      pull(controller) {
        const next = chunks.shift();
        if (next instanceof Error) controller.error(next);
        else if (next) controller.enqueue(next);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** A body that says nothing, and tells why it was let go of. */
function silent(): { body: ReadableStream<Uint8Array>; dropped: Promise<unknown> } {
  let drop: (reason: unknown) => void;
  const dropped = new Promise((resolve) => {
    drop = resolve;
  });
  return { body: new ReadableStream({ cancel: (reason) => drop(reason) }), dropped };
}

const bytesOf = async (body: ReadableStream<Uint8Array> | undefined): Promise<number> =>
  (await new Response(body).arrayBuffer()).byteLength;

describe('where the runtime passes bodies on', () => {
  beforeEach(() => vi.stubGlobal('FixedLengthStream', FixedLengthStream));
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  function guarded(
    body: ReadableStream<Uint8Array>,
    guard: Partial<Parameters<typeof guardPipe>[2]> = {},
  ): { piped: ReadableStream<Uint8Array>; ended: Promise<[StreamEnd, unknown]> } {
    let end: (how: [StreamEnd, unknown]) => void;
    const ended = new Promise<[StreamEnd, unknown]>((resolve) => {
      end = resolve;
    });
    const piped = guardPipe(body, 7, { life: {}, ...guard, onEnd: (...how) => end([how[0], how[1]]) });
    return { piped: piped as ReadableStream<Uint8Array>, ended };
  }

  test('a body comes through whole', async () => {
    const { piped, ended } = guarded(bodyOf(...pieces));
    expect(await bytesOf(piped)).toBe(7);
    expect(await ended).toEqual(['done', undefined]);
  });

  test.each([
    ['breaks off', bodyOf(pieces[0] as Uint8Array, gone), 'gone'],
    ['is shorter than it says', bodyOf(pieces[0] as Uint8Array), 'too few bytes'],
  ])('a body that %s does not look whole', async (_name, body, message) => {
    const { piped, ended } = guarded(body);
    await expect(bytesOf(piped)).rejects.toThrow(message);
    expect(await ended).toEqual(['broken', expect.objectContaining({ message })]);
  });

  test('it is left with its caller', async () => {
    const { body, dropped } = silent();
    const caller = new AbortController();
    const { piped, ended } = guarded(body, { signal: caller.signal });
    const read = bytesOf(piped);
    caller.abort(gone);
    await expect(read).rejects.toThrow();
    expect(await ended).toEqual(['left', gone]);
    expect(await dropped).toBe(gone);
  });

  test('it is cut with its session, with the reason, and what keeps its sandbox ends', async () => {
    vi.useFakeTimers();
    const { body } = silent();
    const extend = vi.fn(async () => undefined);
    const { piped, ended } = guarded(body, {
      life: { until: Date.now() + 25_000, keepAlive: { everyMs: 10_000, extend } },
    });
    const read = bytesOf(piped).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(24_000);
    expect(extend).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await ended).toEqual(['cut', expect.objectContaining({ code: 'session_expired' })]);
    expect(await read).toBeInstanceOf(Error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(extend).toHaveBeenCalledTimes(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('the end of a body ends what watches its session', async () => {
    vi.useFakeTimers();
    const { piped, ended } = guarded(bodyOf(...pieces), { life: { check: async () => undefined } });
    await bytesOf(piped);
    await ended;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('elsewhere', () => {
  test('bodies stay as they are', async () => {
    const body = bodyOf(...pieces);
    expect(pipeFixedLength(body, 7, new AbortController().signal)).toBeUndefined();
    expect(guardPipe(body, 7, { life: {}, onEnd: () => undefined })).toBeUndefined();
    expect(await bytesOf(body)).toBe(7);
  });

  test('a length is what the headers say', () => {
    expect(lengthOf(new Headers({ 'content-length': '12' }))).toBe(12);
    expect(lengthOf(new Headers())).toBeUndefined();
  });
});
