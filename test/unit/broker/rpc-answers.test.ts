import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Filesystem } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import type { Session } from '../../../src/wire/session.js';
import { json } from './support/fake-e2b.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;

beforeAll(async () => {
  harness = await startHarness();
  session = await harness.mint();
});

beforeEach(() => {
  harness.fake.envd.length = 0;
  harness.fake.onEnvd = undefined;
});

afterAll(() => harness.close());

describe('what envd says', () => {
  test('is passed on with its Connect code and words', async () => {
    harness.fake.onEnvd = (_, response) => {
      json(response, 409, {
        code: 'already_exists',
        message: 'directory already exists: /x',
        details: [{ type: 'secret' }],
      });
      return true;
    };
    const response = await harness.rpc(session, Filesystem.method.makeDir, { path: '/x' });
    expect(response.status).toBe(409);
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ code: 'already_exists', message: 'directory already exists: /x' });
    expect(Object.keys(body).sort()).toEqual(['code', 'message', 'requestId']);
  });

  test.each([
    [
      502,
      { sandboxId: 'i1', message: 'port is not open', port: 49983, code: 502 },
      502,
      'upstream_unavailable',
    ],
    [401, { code: 401, message: 'unauthorized access, envd-secret-token' }, 502, 'upstream_unavailable'],
    [403, { message: 'internal' }, 502, 'upstream_unavailable'],
    [429, { message: 'internal' }, 429, 'rate_limited'],
    [409, { message: 'internal' }, 503, 'service_busy'],
    [500, 'goroutine 7 [running]: internal', 502, 'upstream_unavailable'],
    [404, '<html>internal</html>', 502, 'upstream_unavailable'],
  ])('%i %j becomes %i %s, without its words', async (status, body, expected, code) => {
    harness.fake.onEnvd = (_, response) => {
      response.writeHead(status, { 'content-type': 'text/html', 'retry-after': '7' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
      return true;
    };
    const response = await harness.rpc(session, Filesystem.method.stat, { path: '/x' });
    const text = await response.clone().text();
    expect(await refusal(response)).toEqual({ status: expected, code });
    expect(text).not.toMatch(/internal|goroutine|secret/);
    expect(response.headers.get('retry-after')).toBe(
      code === 'rate_limited' || code === 'service_busy' ? '7' : null,
    );
  });

  test.each([
    ['refuses its token', 401, {}, [0, 1]],
    // Why is asked as well.
    ['is not there', 502, { sandboxId: 'i1' }, [1, 4]],
  ])('that it %s makes the broker ask anew, but not at each call', async (_why, status, body, asked) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const own = await harness.session(everything);
    harness.fake.control.length = 0;
    harness.fake.onEnvd = (_, response) => {
      json(response, status, body);
      return true;
    };
    const call = () => harness.rpc(own, Filesystem.method.stat, { path: '/x' });
    for (let count = 0; count < 5; count++) await call();
    expect(harness.fake.control).toHaveLength(asked[0] as number);
    vi.setSystemTime(Date.now() + 5_001);
    for (let count = 0; count < 5; count++) await call();
    expect(harness.fake.control).toHaveLength(asked[1] as number);
    vi.useRealTimers();
  });

  test('is not asked for of a sandbox that was just found to be none', async () => {
    // Another broker with the same key, which has not heard of the sandbox.
    const other = await startHarness();
    vi.useFakeTimers({ toFake: ['Date'] });
    for (const asked of [1, 2]) {
      for (let count = 0; count < 5; count++) {
        const response = await other.rpc(session, Filesystem.method.stat, { path: '/x' });
        expect(await refusal(response)).toEqual({ status: 404, code: 'sandbox_not_found' });
      }
      expect(other.fake.control).toHaveLength(asked);
      vi.setSystemTime(Date.now() + 5_001);
    }
    vi.useRealTimers();
    await other.close();
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
    harness.fake.onEnvd = (_, response) => {
      response.writeHead(status, { location: `${harness.fake.url}/health` }).end();
      return true;
    };
    const response = await harness.rpc(session, Filesystem.method.stat, { path: '/x' });
    expect(await refusal(response)).toEqual({ status: 502, code: 'upstream_unavailable' });
    const file = await harness.send(`/envd/${session.sandboxId}/files?path=/x`, { headers: bearer(session) });
    expect(await refusal(file)).toEqual({ status: 502, code: 'upstream_unavailable' });
    expect(harness.fake.envd).toHaveLength(2);
  });

  test('an answer of another kind is no answer', async () => {
    harness.fake.onEnvd = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<script>');
      return true;
    };
    const response = await harness.rpc(session, Filesystem.method.stat, { path: '/x' });
    expect(await refusal(response)).toEqual({ status: 502, code: 'upstream_unavailable' });
  });

  test('nothing at all is upstream_unavailable', async () => {
    harness.fake.onEnvd = (_, response) => {
      response.destroy();
      return true;
    };
    const response = await harness.rpc(session, Filesystem.method.stat, { path: '/x' });
    expect(await refusal(response)).toEqual({ status: 502, code: 'upstream_unavailable' });
  });
});
