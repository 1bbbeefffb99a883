import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Session } from '../../../src/wire/session.js';
import { json, type Seen } from './support/fake-e2b.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;

beforeEach(async () => {
  harness = await startHarness({ limits: { streams: 1, mintsPerMinute: 1000 } });
  session = await harness.session(everything);
});

afterEach(() => harness.close());

const files = () => harness.fake.envd.filter(({ path }) => path === '/files');
const get = (headers: Record<string, string> = {}) =>
  harness.send(`/envd/${session.sandboxId}/files?path=/x`, { headers: { ...bearer(session), ...headers } });
const post = (headers: Record<string, string> = {}) =>
  harness.send(`/envd/${session.sandboxId}/files?path=/x`, {
    method: 'POST',
    headers: { ...bearer(session), 'content-type': 'application/octet-stream', ...headers },
    body: 'content',
  });

/** Answers for envd. */
function answer(status: number, headers: Record<string, string>, body: Uint8Array | string = ''): void {
  harness.fake.onEnvd = (_, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
}

describe('a download', () => {
  test('has what the page asks of it, and no header that the page did not send', async () => {
    await get({ 'if-range': '"x"' });
    const [seen] = files() as [Seen];
    expect(seen.headers['if-range']).toBe('"x"');
    for (const name of ['range', 'if-none-match', 'if-modified-since'])
      expect(seen.headers[name]).toBeUndefined();
    // Where the application pins no user envd takes its own.
    expect(seen.query.has('username')).toBe(false);
  });

  test('that the page has already is not sent again', async () => {
    answer(304, { etag: '"x"' });
    const response = await get({ 'if-none-match': '"x"' });
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, '"x"', '']);
  });

  test('says how long it is, if it is not packed', async () => {
    answer(200, { 'content-length': '7' }, 'content');
    const plain = await get();
    expect([plain.headers.get('content-length'), await plain.text()]).toEqual(['7', 'content']);
    const packed = gzipSync('content');
    answer(200, { 'content-length': String(packed.length), 'content-encoding': 'gzip' }, packed);
    const unpacked = await get();
    expect([unpacked.headers.get('content-length'), await unpacked.text()]).toEqual([null, 'content']);
  });

  test('counts among the session’s streams until it has been read', async () => {
    const first = await get();
    expect(await refusal(await get())).toEqual({ status: 429, code: 'too_many_streams' });
    await first.text();
    expect((await get()).status).toBe(200);
  });
});

describe('an upload', () => {
  test('takes nothing of the page’s headers along but its kind and the metadata', async () => {
    await post({ cookie: 'a=b', 'x-other': '1', 'x-metadata-colour': 'red', 'if-range': '"x"' });
    const [seen] = files() as [Seen];
    expect(seen.headers).toMatchObject({
      'x-metadata-colour': 'red',
      'content-type': 'application/octet-stream',
    });
    for (const name of ['cookie', 'x-other', 'if-range', 'origin'])
      expect(seen.headers[name]).toBeUndefined();
  });

  test('counts among the session’s streams until it is answered, also with a refusal', async () => {
    let release: () => void = () => undefined;
    harness.fake.onEnvd = (_, response) => {
      release = () => json(response, 507, { message: 'full' });
      return true;
    };
    const first = post();
    await expect.poll(() => files().length).toBe(1);
    expect(await refusal(await post())).toEqual({ status: 429, code: 'too_many_streams' });
    release();
    expect((await first).status).toBe(507);
    harness.fake.onEnvd = undefined;
    expect((await post()).status).toBe(200);
  });

  test.each([
    ['application/octet-stream ; charset=x', 200],
    ['Application/Octet-Stream', 200],
    ['application/octet-streams', 415],
    ['text/plain; application/octet-stream', 415],
  ])('of the kind "%s" is answered with %i', async (kind, status) => {
    expect((await post({ 'content-type': kind })).status).toBe(status);
  });
});

describe('whether a sandbox runs', () => {
  const health = (init: RequestInit = {}) =>
    harness.send(`/envd/${session.sandboxId}/health`, { headers: bearer(session), ...init });

  test('is asked of its envd', async () => {
    const response = await health();
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(harness.fake.envd).toMatchObject([{ method: 'GET', path: '/health' }]);
  });

  test('is not asked any more once the page has gone', async () => {
    const page = new AbortController();
    let isLeft = false;
    harness.fake.onRaw = ({ url }, response) => {
      response.on('close', () => {
        isLeft = true;
      });
      page.abort();
      return url === '/health';
    };
    expect(await refusal(await health({ signal: page.signal }))).toEqual({ status: 499, code: 'canceled' });
    await expect.poll(() => isLeft).toBe(true);
  });

  test('is not answered by anything else', async () => {
    answer(404, { 'content-type': 'application/json' }, '{"message":"not found"}');
    expect(await refusal(await health())).toEqual({ status: 502, code: 'upstream_unavailable' });
  });
});
