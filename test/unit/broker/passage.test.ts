import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import type { Session } from '../../../src/wire/session.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;
/** What envd has open. */
let upstreams: ServerResponse[];

beforeEach(async () => {
  harness = await startHarness({
    store: createMemoryStore(),
    limits: { mintsPerMinute: 1000, streams: 2, terminals: 1, uploadBytes: 1000, messageBytes: 2048 },
  });
  session = await harness.session(everything);
  upstreams = [];
  harness.events.length = 0;
});
afterEach(() => harness.close());

/** Has envd open a stream and say one thing. */
function holdOpen(): void {
  harness.fake.onEnvd = ({ path, headers }, response) => {
    if (!/Start|Connect|WatchDir|files/.test(path)) return false;
    upstreams.push(response);
    const isFile = path === '/files';
    response.writeHead(200, { 'content-type': isFile ? 'text/plain' : String(headers['content-type']) });
    response.write(isFile ? 'begin' : encodeEnvelope(0, new Uint8Array([10, 4, 10, 2, 8, 7])));
    return true;
  };
}

const command = { process: { cmd: '/bin/bash', args: ['-l', '-c', 'true'] } };
const pty = { process: { cmd: '/bin/bash', args: ['-i', '-l'] }, pty: { size: { cols: 80, rows: 24 } } };

const start = (message: Record<string, unknown> = command, init: RequestInit = {}) =>
  harness.rpc(session, Process.method.start, message, init as never);
const get = (init: RequestInit = {}) =>
  harness.send(`/envd/${session.sandboxId}/files?path=/x`, { headers: bearer(session), ...init });
const ends = () => harness.events.filter(({ action }) => action === 'stream_end');

describe('what is open', () => {
  test('is counted, and refused where it is too much, before anything is sent', async () => {
    holdOpen();
    const first = await start();
    await get();
    harness.fake.envd.length = 0;
    for (const third of [await start(), await get()]) {
      expect(third.headers.get('retry-after')).toBe('2');
      expect(await refusal(third)).toEqual({ status: 429, code: 'too_many_streams' });
    }
    expect(harness.fake.envd).toEqual([]);
    expect(harness.events.at(-1)).toMatchObject({ action: 'download', outcome: 'refused', status: 429 });
    await first.body?.cancel();
    expect((await get()).status).toBe(200);
  });

  test('counts terminals apart from other streams', async () => {
    holdOpen();
    expect((await start(pty)).status).toBe(200);
    expect(await refusal(await start(pty))).toEqual({ status: 429, code: 'too_many_terminals' });
    expect((await start()).status).toBe(200);
  });

  test.each<[string, (response: Response, index: number) => Promise<unknown>]>([
    ['is left', async (response) => response.body?.cancel()],
    [
      'is read to its end',
      async (response, index) => {
        upstreams[index]?.end();
        await response.text().catch(() => undefined);
      },
    ],
    [
      'breaks off in the sandbox',
      async (response, index) => {
        upstreams[index]?.destroy();
        await response.text().catch(() => undefined);
      },
    ],
  ])('makes room when it %s', async (_name, close) => {
    holdOpen();
    for (let index = 0; index < 6; index++) {
      const response = await (index % 2 ? start() : get());
      expect(response.status).toBe(200);
      await close(response, index);
    }
  });

  test('makes room when its caller is gone, and where it could not be opened', async () => {
    holdOpen();
    for (let index = 0; index < 4; index++) {
      const gone = new AbortController();
      expect((await get({ signal: gone.signal })).status).toBe(200);
      gone.abort();
    }
    harness.fake.onEnvd = (_, response) => {
      response.writeHead(500).end();
      return true;
    };
    for (let index = 0; index < 4; index++) {
      expect((await refusal(await get())).code).toBe('upstream_unavailable');
      expect((await refusal(await start())).status).toBeGreaterThanOrEqual(200);
    }
    harness.fake.onEnvd = undefined;
    expect((await get()).status).toBe(200);
  });
});

describe('the end of a stream', () => {
  test('is one event, with what was sent, and the request id of its beginning', async () => {
    holdOpen();
    const response = await get();
    upstreams[0]?.end('more');
    expect(await response.text()).toBe('beginmore');
    const begin = harness.events.find(({ action }) => action === 'download');
    expect(begin).toMatchObject({ outcome: 'allowed', status: 200 });
    expect(ends()).toEqual([
      expect.objectContaining({
        of: 'download',
        end: 'done',
        outcome: 'allowed',
        sentBytes: 9,
        status: 0,
        subject: 'ann',
        sessionId: session.sessionId,
        sandboxId: session.sandboxId,
        requestId: begin?.requestId,
        durationMs: expect.any(Number),
      }),
    ]);
  });

  test('says who ended it', async () => {
    holdOpen();
    await (await start()).body?.cancel();
    const broken = await start();
    upstreams[1]?.destroy();
    await broken.text().catch(() => undefined);
    expect(ends()).toEqual([
      expect.objectContaining({ of: 'rpc', procedure: 'process.Process/Start', end: 'left' }),
      expect.objectContaining({ end: 'broken', outcome: 'failed', code: 'upstream_unavailable' }),
    ]);
  });
});

describe('a session that is revoked', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Digests and sockets take real time. */
  const pass = async (ms: number, until: () => boolean): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms);
    while (!until()) await new Promise((resolve) => setImmediate(resolve));
  };

  test('has its streams ended with the reason, and its downloads broken off', async () => {
    holdOpen();
    const stream = await start();
    const download = await get();
    const streamReader = stream.body?.getReader();
    const downloadReader = download.body?.getReader();
    await streamReader?.read();
    await downloadReader?.read();
    await harness.revoke({ sessionId: session.sessionId });
    await pass(30_000, () => ends().length === 2);
    const last = (await streamReader?.read())?.value;
    expect(last?.[0]).toBe(2);
    expect(JSON.parse(new TextDecoder().decode(last?.subarray(5)))).toEqual({
      error: { code: 'unauthenticated', message: expect.stringContaining('ended') },
      metadata: { 'e2b-edge-code': ['session_revoked'] },
    });
    expect((await streamReader?.read())?.done).toBe(true);
    await expect(downloadReader?.read()).rejects.toMatchObject({ code: 'session_revoked' });
    expect(ends()).toEqual([
      expect.objectContaining({ end: 'cut', outcome: 'refused', code: 'session_revoked' }),
      expect.objectContaining({ end: 'cut', outcome: 'refused', code: 'session_revoked' }),
    ]);
    await vi.waitFor(() => expect(upstreams.every(({ destroyed }) => destroyed)).toBe(true));
  });

  test('has a stream broken off in the middle of a message', async () => {
    harness.fake.onEnvd = ({ path, headers }, response) => {
      if (!path.endsWith('Start')) return false;
      response.writeHead(200, { 'content-type': String(headers['content-type']) });
      response.write(encodeEnvelope(0, new Uint8Array([10, 4, 10, 2, 8, 7])).subarray(0, 8));
      return true;
    };
    const reader = (await start()).body?.getReader();
    await reader?.read();
    await harness.revoke({ subject: 'ann' });
    await pass(30_000, () => ends().length === 1);
    await expect(reader?.read()).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('has its uploads ended and answered with 401', async () => {
    let received = 0;
    harness.fake.onRaw = (request) => {
      if (!request.url?.startsWith('/files')) return false;
      request.on('data', ({ length }: Buffer) => {
        received += length;
      });
      request.on('error', () => undefined);
      return true;
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(10)),
    });
    const answer = harness.send(`/envd/${session.sandboxId}/files?path=/x`, {
      method: 'POST',
      headers: { ...bearer(session), 'content-type': 'application/octet-stream' },
      body,
      duplex: 'half',
    } as RequestInit);
    while (received === 0) await new Promise((resolve) => setImmediate(resolve));
    await harness.revoke({ sessionId: session.sessionId });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await refusal(await answer)).toEqual({ status: 401, code: 'session_revoked' });
    expect(harness.events.at(-1)).toMatchObject({
      action: 'upload',
      outcome: 'refused',
      code: 'session_revoked',
      receivedBytes: 10,
    });
    harness.fake.onRaw = undefined;
  });
});

describe('a body', () => {
  const upload = (body: BodyInit, headers: Record<string, string> = {}) =>
    harness.send(`/envd/${session.sandboxId}/files?path=/x`, {
      method: 'POST',
      headers: { ...bearer(session), 'content-type': 'application/octet-stream', ...headers },
      body,
      duplex: 'half',
    } as RequestInit);

  test('that is larger than an upload may be is refused, announced or not', async () => {
    expect((await upload(new Uint8Array(1000))).status).toBe(200);
    expect(harness.events.at(-1)).toMatchObject({ action: 'upload', receivedBytes: 1000 });
    const announced = await upload(new Uint8Array(1001), { 'content-length': '1001' });
    expect(await refusal(announced)).toEqual({ status: 413, code: 'body_too_large' });
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 100;
        controller.enqueue(new Uint8Array(100));
      },
    });
    expect(await refusal(await upload(endless))).toEqual({ status: 413, code: 'body_too_large' });
    expect(sent).toBeLessThan(3000);
    for (let index = 0; index < 4; index++) expect((await upload(new Uint8Array(10))).status).toBe(200);
  });

  test('that is larger than a message may be is refused', async () => {
    const response = await start({ process: { cmd: '/bin/bash', args: ['-l', '-c', 'x'.repeat(3000)] } });
    expect(await refusal(response)).toEqual({ status: 413, code: 'body_too_large' });
  });
});

test('what cannot be reached tells the log nothing of headers and queries', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => closed.once('listening', resolve));
  closed.close();
  const failing = await startHarness({
    fetch: async (url, init) => {
      const error = Object.assign(
        new TypeError(`cannot reach ${url}?signature=hidden by way of http://user:hidden@proxy.test/`),
        {
          path: `${url}`,
          options: init,
          request: { headers: init?.headers },
        },
      );
      throw Object.assign(error, {
        cause: Object.assign(new Error('ECONNREFUSED'), { headers: init?.headers }),
      });
    },
  });
  await expect(failing.mint()).rejects.toMatchObject({ code: 'upstream_unavailable' });
  const { inspect } = await import('node:util');
  const all = inspect(failing.events, { depth: 20, showHidden: true });
  expect(all).toContain('cannot reach');
  expect(all).not.toContain('hidden');
  expect(all).not.toContain(failing.fake.apiKey);
  await failing.close();
});
