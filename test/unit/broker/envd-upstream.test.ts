import { afterEach, describe, expect, test, vi } from 'vitest';
import { openUpstream, type Upstream, type UpstreamRequest } from '../../../src/broker/envd-upstream.js';
import type { Exchange } from '../../../src/broker/exchange.js';
import type { SessionClaims } from '../../../src/broker/session-token.js';
import { toBinary } from '../../../src/wire/codec/to-binary.js';
import { Filesystem } from '../../../src/wire/messages/filesystem.js';

type Answer = (url: string, init: RequestInit & { duplex?: string }) => Response | Promise<Response>;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

interface Way extends Upstream {
  /** What was sent. */
  sent: { url: string; init: RequestInit & { duplex?: string } }[];
  /** The sandboxes that were forgotten. */
  forgotten: string[];
}

const unavailable = { code: 'upstream_unavailable', statusCode: 502 };
const ok = (body?: BodyInit) => new Response(body ?? 'content');
const get: UpstreamRequest = { method: 'GET', headers: {}, signal: new AbortController().signal };

/** A session's way to a sandbox that answers so. */
async function wayTo(
  answer: Answer,
  { user, trace = {} }: { user?: string; trace?: object } = {},
): Promise<Way> {
  const sent: Way['sent'] = [];
  const forgotten: string[] = [];
  const exchange = {
    credentials: {},
    trace,
    settings: {
      fetch: async (url: string, init: RequestInit) => {
        sent.push({ url, init });
        return answer(url, init);
      },
    },
    directory: {
      find: async () => ({
        endpoint: { baseUrl: 'https://envd.test', headers: { 'x-access-token': 'real' } },
      }),
      forget: (id: string) => forgotten.push(id),
    },
  } as unknown as Exchange<undefined>;
  const claims = { sbx: 'i1', g: { ...(user !== undefined && { user }) } } as SessionClaims;
  return { ...(await openUpstream(exchange, claims)), sent, forgotten };
}

describe('a request to envd', () => {
  test('is made of the real credential, the session’s user, the trace, and what is handed in', async () => {
    const trace = { traceparent: '00-1-2-3' };
    const way = await wayTo(() => ok(), { user: 'worker', trace });
    await way.send('files?path=/x', { ...get, headers: { range: 'bytes=0-1', 'x-access-token': 'mine' } });
    expect(way.sent).toMatchObject([{ url: 'https://envd.test/files?path=/x', init: { method: 'GET' } }]);
    expect(way.sent[0]?.init.headers).toEqual({
      range: 'bytes=0-1',
      'accept-encoding': 'identity',
      traceparent: '00-1-2-3',
      authorization: `Basic ${btoa('worker:')}`,
      'x-access-token': 'real',
    });
    expect(way.sent[0]?.init).not.toHaveProperty('body');
  });

  test('names no user where none is pinned', async () => {
    const way = await wayTo(() => ok());
    await way.send('health', get);
    expect(way.sent[0]?.init.headers).not.toHaveProperty('authorization');
  });

  test('follows no redirect, whatever its body is', async () => {
    const way = await wayTo(() => ok());
    const stream = new ReadableStream<Uint8Array>();
    for (const body of [undefined, new Uint8Array(1), stream]) {
      await way.send('files', { ...get, method: 'POST', ...(body && { body }) });
    }
    expect(way.sent.map(({ init: { redirect, duplex } }) => [redirect, duplex])).toEqual([
      ['manual', undefined],
      ['manual', undefined],
      ['error', 'half'],
    ]);
    // As in workerd, which has no such word.
    const RealRequest = Request;
    vi.stubGlobal(
      'Request',
      class extends RealRequest {
        constructor(url: string, init?: RequestInit) {
          if (init?.redirect === 'error') throw new TypeError('Invalid redirect value');
          super(url, init);
        }
      },
    );
    await way.send('files', { ...get, method: 'POST', body: stream });
    expect(way.sent.at(-1)?.init).toMatchObject({ redirect: 'manual', duplex: 'half', body: stream });
  });

  test.each([300, 301, 307, 399])('that is answered with %i is one that failed', async (status) => {
    let isLeft = false;
    const body = new ReadableStream({
      cancel: () => {
        isLeft = true;
      },
    });
    const way = await wayTo(() => new Response(body, { status, headers: { location: 'https://evil.test' } }));
    await expect(way.send('files', get)).rejects.toMatchObject(unavailable);
    expect([isLeft, way.forgotten, way.sent.length]).toEqual([true, [], 1]);
  });

  test('that a browser-like fetch hides the redirect of is one that failed', async () => {
    const hidden = Object.defineProperty(new Response(null), 'type', { value: 'opaqueredirect' });
    const way = await wayTo(() => hidden);
    await expect(way.send('files', get)).rejects.toMatchObject(unavailable);
  });

  test.each([200, 206, 304, 400, 404, 500])('that is answered with %i is answered', async (status) => {
    const way = await wayTo(() => new Response(status === 304 ? null : 'x', { status }));
    expect((await way.send('files', get)).status).toBe(status);
    expect(way.forgotten).toEqual([]);
  });

  test.each([401, 502])('that is answered with %i has the sandbox asked for anew', async (status) => {
    const way = await wayTo(() => new Response('x', { status }));
    expect((await way.send('files', get)).status).toBe(status);
    expect(way.forgotten).toEqual(['i1']);
  });

  test('that reaches nobody has failed; one whose caller went is canceled', async () => {
    const way = await wayTo(() => Promise.reject(new TypeError('connection refused')));
    await expect(way.send('files', get)).rejects.toMatchObject(unavailable);
    const signal = AbortSignal.abort();
    await expect(way.send('files', { ...get, signal })).rejects.toMatchObject({
      code: 'canceled',
      statusCode: 499,
    });
  });
});

describe('a call of the broker’s own', () => {
  const { stat } = Filesystem;
  const told = toBinary(stat.output, { entry: { path: '/x' } });
  const refused = (status: number, body: object) => new Response(JSON.stringify(body), { status });

  test('is one of Connect’s, in binary', async () => {
    const way = await wayTo(() => ok(told));
    expect(await way.call(stat, { path: '/x' })).toMatchObject({ entry: { path: '/x' } });
    expect(way.sent).toMatchObject([
      {
        url: `https://envd.test/${stat.path}`,
        init: {
          method: 'POST',
          headers: { 'content-type': 'application/proto', 'connect-protocol-version': '1' },
          body: toBinary(stat.input, { path: '/x' }),
        },
      },
    ]);
  });

  test('has no answer where envd says that it is not found, and fails otherwise as envd says', async () => {
    const missing = await wayTo(() => refused(404, { code: 'not_found', message: 'file not found' }));
    expect(await missing.call(stat, { path: '/x' })).toBeUndefined();
    const broken = await wayTo(() => refused(500, { code: 'internal', message: 'odd' }));
    await expect(broken.call(stat, { path: '/x' })).rejects.toMatchObject({
      code: 'internal',
      statusCode: 500,
    });
    // A file that is not found is another matter than a call that is not.
    const other = await wayTo(() => refused(404, { message: 'no page' }));
    await expect(other.call(stat, { path: '/x' })).rejects.toMatchObject(unavailable);
  });

  test('may be answered with nothing, which is a message', async () => {
    const way = await wayTo(() => new Response(new Uint8Array()));
    expect(await way.call(stat, { path: '/x' })).toEqual({});
  });

  test.each([
    ['what is no message', new Uint8Array([255, 255, 255])],
    ['more than it reads', new Uint8Array(4 * 1024 * 1024 + 1)],
  ])('fails on %s', async (_name, body) => {
    const way = await wayTo(() => ok(body));
    await expect(way.call(stat, { path: '/x' })).rejects.toMatchObject(unavailable);
  });

  test('that envd does not answer is a sandbox that failed, and not the broker', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const way = await wayTo((_, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
      });
    });
    const answer = way.call(stat, { path: '/x' });
    const failure = expect(answer).rejects.toMatchObject(unavailable);
    await vi.waitFor(() => expect(way.sent.length).toBe(1));
    await vi.advanceTimersByTimeAsync(15_000);
    await failure;
  });
});
