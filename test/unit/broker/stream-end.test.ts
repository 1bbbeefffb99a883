import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
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

describe('a session whose time is over', () => {
  const message = encodeEnvelope(0, new Uint8Array([10, 2, 34, 0]));

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    harness.fake.onEnvd = ({ headers }, response) => {
      response.writeHead(200, { 'content-type': String(headers['content-type'] ?? 'text/plain') });
      response.write(message);
      return true;
    };
  });

  /** What reading on gives after the session's absolute life. */
  async function readOn(response: Response): Promise<unknown> {
    const reader = response.body?.getReader();
    await reader?.read();
    await vi.advanceTimersByTimeAsync(8 * 3_600_000);
    return reader?.read();
  }

  test('has its stream broken off without a word: who comes back is told', async () => {
    const stream = await harness.rpc(session, Process.method.start, { process: { cmd: 'cat', args: [] } });
    await expect(readOn(stream)).rejects.toMatchObject({ code: 'session_expired' });
    const [end] = ends();
    expect(end).toMatchObject({ end: 'cut', outcome: 'refused', code: 'session_expired' });
    expect(end).not.toHaveProperty('cause');
  });

  test('has its download broken off', async () => {
    await expect(readOn(await file())).rejects.toMatchObject({ code: 'session_expired' });
  });
});

test('half a file of a session that is revoked never looks whole, whatever is in it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const own = await startHarness({ store: createMemoryStore() });
  const { sessionId, sandboxId, token } = await own.mint();
  own.fake.onEnvd = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    // It could be a stream of messages.
    response.write(encodeEnvelope(0, new Uint8Array(10)));
    return true;
  };
  const headers = { authorization: `Bearer ${token}` };
  const reader = (await own.send(`/envd/${sandboxId}/files?path=/x`, { headers })).body?.getReader();
  await reader?.read();
  await own.revoke({ sessionId });
  const read = reader?.read();
  const broken = expect(read).rejects.toMatchObject({ code: 'session_revoked' });
  await vi.advanceTimersByTimeAsync(24_000);
  await broken;
  await own.close();
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
