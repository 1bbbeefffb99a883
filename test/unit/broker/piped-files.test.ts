import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import type { Session } from '../../../src/wire/session.js';
import { FixedLengthStream } from './support/fixed-length-stream.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

/** What a broker does where the runtime passes files on, as workerd does. */

let harness: Harness;
let session: Session;
let lengths: number[];

beforeEach(async () => {
  lengths = [];
  vi.stubGlobal(
    'FixedLengthStream',
    class extends FixedLengthStream {
      constructor(length: number) {
        super(length);
        lengths.push(length);
      }
    },
  );
  harness = await startHarness({
    store: createMemoryStore(),
    limits: { mintsPerMinute: 1000, streams: 1, uploadBytes: 1000 },
  });
  session = await harness.session(everything);
  harness.events.length = 0;
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  return harness.close();
});

const path = () => `/envd/${session.sandboxId}/files?path=/x`;
const download = () => harness.send(path(), { headers: bearer(session) });
const upload = (body: BodyInit, more: Record<string, string> = {}) =>
  harness.send(path(), {
    method: 'POST',
    headers: { ...bearer(session), 'content-type': 'application/octet-stream', ...more },
    body,
    duplex: 'half',
  } as RequestInit);
const ends = () => harness.events.filter(({ action }) => action === 'stream_end');

/** Has envd answer a download: all of it, or five bytes and then what is said. */
function answer(length: number | undefined, then: 'end' | 'break off' | 'wait'): void {
  harness.fake.onEnvd = ({ path: at }, response) => {
    if (!at.startsWith('/files')) return false;
    response.writeHead(200, {
      'content-type': 'text/plain',
      ...(length !== undefined && { 'content-length': String(length) }),
    });
    response.write('begin', () => {
      if (then === 'break off') response.destroy();
    });
    if (then === 'end') response.end();
    return true;
  };
}

describe('a download', () => {
  test('whose length is known is piped, counted at its end, and makes room', async () => {
    answer(5, 'end');
    for (let count = 0; count < 3; count++) expect(await (await download()).text()).toBe('begin');
    await vi.waitFor(() => expect(ends()).toHaveLength(3));
    expect(ends()[0]).toMatchObject({ of: 'download', end: 'done', outcome: 'allowed', sentBytes: 5 });
    expect(lengths).toEqual([5, 5, 5]);
  });

  test('that breaks off does not look whole, and nobody knows how much of it came', async () => {
    answer(10, 'break off');
    await expect((await download()).text()).rejects.toThrow();
    await vi.waitFor(() => expect(ends()).toHaveLength(1));
    expect(ends()[0]).toMatchObject({ end: 'broken', outcome: 'failed', code: 'upstream_unavailable' });
    expect(ends()[0]).not.toHaveProperty('sentBytes');
  });

  test('is cut when its session is over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    answer(10, 'wait');
    const read = (await download()).text().catch((error: unknown) => error);
    await harness.revoke({ sessionId: session.sessionId });
    await vi.advanceTimersByTimeAsync(24_000);
    expect(await read).toBeInstanceOf(Error);
    await vi.waitFor(() => expect(ends()).toHaveLength(1));
    expect(ends()).toMatchObject([{ end: 'cut', outcome: 'refused', code: 'session_revoked' }]);
  });

  test('of unknown length is not', async () => {
    answer(undefined, 'end');
    expect(await (await download()).text()).toBe('begin');
    expect(lengths).toEqual([]);
    expect(ends()).toMatchObject([{ end: 'done', sentBytes: 5 }]);
  });
});

describe('an upload', () => {
  const received: number[] = [];
  beforeEach(() => {
    received.length = 0;
    harness.fake.onEnvd = ({ path: at, body }, response) => {
      if (!at.startsWith('/files')) return false;
      received.push(body.length);
      response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
      return true;
    };
  });

  test('whose length is known is piped, and counted when it is through', async () => {
    const answered = await upload(new Uint8Array(700), { 'content-length': '700' });
    expect(answered.status).toBe(200);
    expect(lengths).toEqual([700]);
    expect(received).toEqual([700]);
    expect(harness.events).toMatchObject([{ action: 'upload', receivedBytes: 700 }]);
  });

  test('whose length is not known is not piped, and is counted as it comes', async () => {
    const body = new Response('abc').body as ReadableStream<Uint8Array>;
    expect((await upload(body)).status).toBe(200);
    expect(lengths).toEqual([]);
    expect(received).toEqual([3]);
    expect(harness.events).toMatchObject([{ action: 'upload', receivedBytes: 3 }]);
  });

  test('that is too long is refused before any of it is sent', async () => {
    expect(await refusal(await upload(new Uint8Array(1001), { 'content-length': '1001' }))).toEqual({
      status: 413,
      code: 'body_too_large',
    });
    expect(lengths).toEqual([]);
  });

  test('that has fewer bytes than it says is not taken for whole', async () => {
    const answered = await upload(new Uint8Array(7), { 'content-length': '10' });
    expect(answered.status).toBeGreaterThanOrEqual(400);
    expect(harness.events).toMatchObject([{ action: 'upload' }]);
    expect(harness.events[0]).not.toHaveProperty('receivedBytes');
  });
});
