import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Session } from '../../../src/wire/session.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;
let upstream: ServerResponse;

beforeEach(async () => {
  harness = await startHarness({ limits: { mintsPerMinute: 1000, streams: 2, uploadBytes: 1000 } });
  session = await harness.session(everything);
  harness.events.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  return harness.close();
});

/** Has envd begin to answer a download with these headers. */
function begin(headers: Record<string, string>, status = 200): void {
  harness.fake.onEnvd = (_, response) => {
    upstream = response;
    response.writeHead(status, { 'content-type': 'text/plain', ...headers });
    if (status === 200) response.write('begin');
    else response.end();
    return true;
  };
}

const file = (init: RequestInit = {}) =>
  harness.send(`/envd/${session.sandboxId}/files?path=/x`, { headers: bearer(session), ...init });
const upload = (body: BodyInit | undefined, headers: Record<string, string> = {}) =>
  file({
    method: 'POST',
    headers: { ...bearer(session), 'content-type': 'application/octet-stream', ...headers },
    body,
    duplex: 'half',
  } as RequestInit);
const ends = () => harness.events.filter(({ action }) => action === 'stream_end');

describe('a download', () => {
  test('is whole with the last of the bytes that it announced', async () => {
    begin({ 'content-length': '5' });
    const reader = (await file()).body?.getReader();
    await reader?.read();
    expect(ends()).toEqual([expect.objectContaining({ end: 'done', outcome: 'allowed', sentBytes: 5 })]);
    expect((await reader?.read())?.done).toBe(true);
    expect(ends()).toHaveLength(1);
  });

  test('without a body takes no room, and has no end of its own', async () => {
    begin({ etag: '"1"' }, 304);
    for (let count = 0; count < 5; count++) expect((await file()).status).toBe(304);
    expect(ends()).toEqual([]);
  });

  test('ends in good order for a page that is gone, which nobody reports as a fault', async () => {
    begin({});
    const gone = new AbortController();
    const reader = (await file({ signal: gone.signal })).body?.getReader();
    await reader?.read();
    gone.abort(new Error('gone'));
    expect(await reader?.read()).toEqual({ done: true, value: undefined });
    const [end] = ends();
    expect(end).toMatchObject({ end: 'left', outcome: 'allowed' });
    expect(end).not.toHaveProperty('code');
    expect(end).not.toHaveProperty('cause');
  });

  test('that breaks off says why in the log, and how long it took', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    begin({});
    const reader = (await file()).body?.getReader();
    await reader?.read();
    vi.setSystemTime(Date.now() + 3_000);
    upstream.destroy();
    await expect(reader?.read()).rejects.toThrow();
    expect(ends()).toEqual([
      expect.objectContaining({
        end: 'broken',
        outcome: 'failed',
        code: 'upstream_unavailable',
        cause: expect.anything(),
        durationMs: 3_000,
      }),
    ]);
  });

  test('that nobody reads is let go after a minute, and makes room', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    begin({});
    await file();
    await file();
    expect((await file()).status).toBe(429);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ends()).toHaveLength(2);
    expect(ends()[0]).toMatchObject({ end: 'abandoned', outcome: 'failed', code: 'abandoned' });
    expect(ends()[0]).not.toHaveProperty('cause');
    expect((await file()).status).toBe(200);
  });
});

describe('an upload', () => {
  test('may be empty, and may announce as much as it may have', async () => {
    expect((await upload(undefined)).status).toBe(200);
    expect((await upload(new Uint8Array(1000), { 'content-length': '1000' })).status).toBe(200);
    expect(harness.fake.envd.map(({ body }) => body.length)).toEqual([0, 1000]);
  });

  test('that announces more is not begun', async () => {
    const answer = await upload(new Uint8Array(1), { 'content-length': '1001' });
    expect(await refusal(answer)).toEqual({ status: 413, code: 'body_too_large' });
    expect(harness.fake.envd).toEqual([]);
  });

  test('to what cannot be reached failed for that reason', async () => {
    harness.fake.onEnvd = (_, response) => {
      response.destroy();
      return true;
    };
    expect(await refusal(await upload(new Uint8Array(10)))).toEqual({
      status: 502,
      code: 'upstream_unavailable',
    });
  });

  test('ends with its page', async () => {
    const gone = new AbortController();
    let closed = false;
    harness.fake.onRaw = (request) => {
      request.on('error', () => undefined);
      request.on('close', () => {
        closed = true;
      });
      gone.abort();
      return true;
    };
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
    const answer = await file({
      method: 'POST',
      headers: { ...bearer(session), 'content-type': 'application/octet-stream' },
      body,
      duplex: 'half',
      signal: gone.signal,
    } as RequestInit);
    expect(await refusal(answer)).toEqual({ status: 499, code: 'canceled' });
    while (!closed) await new Promise((resolve) => setImmediate(resolve));
    harness.fake.onRaw = undefined;
  });
});
