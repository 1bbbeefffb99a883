import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ClientOptions } from '../../../src/transport/client-options.js';
import { Connection } from '../../../src/transport/connection.js';
import { fixedCredential } from '../../../src/transport/credential.js';
import { createRest } from '../../../src/transport/rest.js';
import { type Fate, type FaultServer, serveFaults } from '../support/fault-sockets.js';
import { answerJson, serve } from '../support/serve.js';

let server: FaultServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** `StartResponse { event { start { pid: 7 } } }`, and an end, as a stream. */
const stream = Uint8Array.from([0, 0, 0, 0, 6, 0x0a, 4, 0x0a, 2, 8, 7, 2, 0, 0, 0, 2, 0x7b, 0x7d]);

function connect(client: ClientOptions = {}, baseUrl = server?.url ?? ''): Connection {
  return new Connection({
    sandboxId: 'i1',
    envdVersion: '0.6.13',
    baseUrl,
    credential: fixedCredential({}),
    client,
    streamingUploads: true,
  });
}

const rest = (client: ClientOptions = {}, baseUrl = server?.url ?? '') =>
  createRest({ baseUrl, credential: fixedCredential({}), client });

const pid = { selector: { case: 'pid' as const, value: 7 } };

/** A call of every kind. */
const calls = {
  'GET of the control plane': (client?: ClientOptions) =>
    rest(client)({ operation: 'x', method: 'GET', path: '/' }),
  'POST of the control plane': (client?: ClientOptions) =>
    rest(client)({ operation: 'x', method: 'POST', path: '/', body: {} }),
  'POST that may be repeated': (client?: ClientOptions) =>
    rest(client)({ operation: 'x', method: 'POST', path: '/', body: {}, idempotent: true }),
  'DELETE of the control plane': (client?: ClientOptions) =>
    rest(client)({ operation: 'x', method: 'DELETE', path: '/' }),
  List: (client?: ClientOptions) =>
    connect(client).call({}, 'x', (rpc, signal) => rpc.process.list({}, { signal })),
  Stat: (client?: ClientOptions) =>
    connect(client).call({}, 'x', (rpc, signal) => rpc.filesystem.stat({}, { signal })),
  Remove: (client?: ClientOptions) =>
    connect(client).call({}, 'x', (rpc, signal) => rpc.filesystem.remove({}, { signal })),
  MakeDir: (client?: ClientOptions) =>
    connect(client).call({}, 'x', (rpc, signal) => rpc.filesystem.makeDir({}, { signal })),
  Move: (client?: ClientOptions) =>
    connect(client).call({}, 'x', (rpc, signal) => rpc.filesystem.move({}, { signal })),
  SendInput: (client?: ClientOptions) =>
    connect(client).call({}, 'x', (rpc, signal) => rpc.process.sendInput({}, { signal })),
  SendSignal: (client?: ClientOptions) =>
    connect(client).call({}, 'x', (rpc, signal) => rpc.process.sendSignal({}, { signal })),
  CloseStdin: (client?: ClientOptions) =>
    connect(client).call({}, 'x', (rpc, signal) => rpc.process.closeStdin({}, { signal })),
  Start: (client?: ClientOptions) =>
    connect(client).stream({}, 'x', (rpc, signal) => rpc.process.start({}, { signal })),
  Connect: (client?: ClientOptions) =>
    connect(client).stream({}, 'x', (rpc, signal) => rpc.process.connect({ process: pid }, { signal })),
  download: (client?: ClientOptions) => connect(client).file({}, 'x', { path: 'a' }, {}),
  upload: (client?: ClientOptions) =>
    connect(client).file({}, 'x', { path: 'a' }, { method: 'POST', body: 'a' }),
  'upload of a stream': (client?: ClientOptions) => {
    const init: RequestInit = {
      method: 'POST',
      body: new Blob(['a']).stream(),
      duplex: 'half',
    } as RequestInit;
    return connect(client).file({}, 'x', { path: 'a' }, init);
  },
} satisfies Record<string, (client?: ClientOptions) => Promise<unknown>>;
type CallName = keyof typeof calls;

const repeatable: CallName[] = [
  'GET of the control plane',
  'POST that may be repeated',
  'DELETE of the control plane',
  'List',
  'Stat',
  'Remove',
  'Connect',
  'download',
  'upload',
];
const names = Object.keys(calls) as CallName[];
const once = names.filter((name) => !repeatable.includes(name));

async function meet(...fates: [Fate, ...Fate[]]): Promise<FaultServer> {
  server = await serveFaults(fates, (request, response) => {
    const type = String(request.headers['content-type']);
    if (type.startsWith('application/connect')) response.writeHead(200, { 'content-type': type }).end(stream);
    else if (type === 'application/proto') response.writeHead(200, { 'content-type': type }).end();
    else answerJson(response, 200, {});
  });
  return server;
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) => error,
  );

describe.each(['reset', 'hang up', 'half a head'] as const)('a connection lost by a %s', (fate) => {
  test.each(repeatable)('%s is asked again', async (name) => {
    const { requests } = await meet(fate, 'answer').then(async (it) => {
      await calls[name]();
      return it;
    });
    expect(requests).toBe(2);
  });

  test.each(once)('%s is not, and its error says that it may have been done', async (name) => {
    const it = await meet(fate, 'answer');
    expect(await failure(calls[name]())).toMatchObject({
      name: 'ConnectionError',
      code: 'connection_lost',
      uncertain: true,
      retryable: false,
      attempts: 1,
      cause: expect.anything(),
    });
    expect(it.requests).toBe(1);
  });
});

describe('an answer that breaks off', () => {
  test.each(['GET of the control plane', 'List', 'Stat'] as const)(
    'of %s is asked for again',
    async (name) => {
      const it = await meet('half a body', 'answer');
      await calls[name]();
      expect(it.requests).toBe(2);
    },
  );

  test.each(['POST of the control plane', 'Move', 'SendInput'] as const)('of %s is not', async (name) => {
    const it = await meet('half a body', 'answer');
    expect(await failure(calls[name]())).toMatchObject({
      code: 'connection_lost',
      uncertain: true,
      retryable: false,
    });
    expect(it.requests).toBe(1);
  });
});

describe('429', () => {
  const streams: CallName[] = ['upload of a stream'];

  test.each(names.filter((name) => !streams.includes(name)))('is taken for "later" by %s', async (name) => {
    const it = await meet({ status: 429, headers: { 'retry-after': '0' } }, { status: 429 }, 'answer');
    await calls[name]();
    expect(it.requests).toBe(3);
  });

  test('is not for a stream that was read', async () => {
    const it = await meet({ status: 429, headers: { 'retry-after': '0' } }, 'answer');
    expect(await failure(calls['upload of a stream']())).toMatchObject({
      code: 'rate_limited',
      retryable: false,
    });
    expect(it.requests).toBe(1);
  });

  test('waits until the date that it gives', async () => {
    const date = new Date(Date.now() + 10_000);
    const controller = new AbortController();
    let wait = 0;
    await meet({ status: 429, headers: { 'retry-after': date.toUTCString() } });
    const onRetry: ClientOptions['onRetry'] = ({ delayMs }) => {
      wait = delayMs;
      controller.abort();
    };
    await failure(
      connect({ onRetry }).call({ signal: controller.signal }, 'x', (rpc, signal) =>
        rpc.process.list({}, { signal }),
      ),
    );
    // Without it, the wait would be below 250.
    expect(wait).toBeGreaterThan(1_000);
    expect(wait).toBeLessThanOrEqual(10_250);
  });

  test.each(['61', 'Fri, 01 Jan 2100 00:00:00 GMT'])('is given up when it says %s', async (retryAfter) => {
    const it = await meet({ status: 429, headers: { 'retry-after': retryAfter } });
    const error = await failure(calls.List({ requestTimeoutMs: 0 }));
    expect(error).toMatchObject({ name: 'RateLimitError', statusCode: 429, attempts: 1, retryable: true });
    expect(it.requests).toBe(1);
  });
});

describe.each([502, 503, 504])('%i', (status) => {
  // Of envd, 502 says that the sandbox is over.
  const ended: CallName[] = status === 502 ? names.filter((name) => !/control|repeated/.test(name)) : [];

  test.each(repeatable.filter((name) => !ended.includes(name)))(
    'is taken for trouble by %s',
    async (name) => {
      const it = await meet({ status }, 'answer');
      await calls[name]();
      expect(it.requests).toBe(2);
    },
  );

  test.each(once)('is final for %s', async (name) => {
    const it = await meet({ status }, 'answer');
    expect(await failure(calls[name]())).toMatchObject({ statusCode: status, attempts: 1 });
    expect(it.requests).toBe(1);
  });

  test.each(ended.filter((name) => repeatable.includes(name)))('is final for %s', async (name) => {
    const it = await meet({ status }, 'answer');
    expect(await failure(calls[name]())).toMatchObject({
      statusCode: status,
      retryable: false,
      uncertain: false,
    });
    expect(it.requests).toBe(1);
  });
});

test.each([400, 401, 403, 404, 409, 500, 507])('%i is final', async (status) => {
  const it = await meet({ status }, 'answer');
  const error = await failure(calls['GET of the control plane']());
  expect(error).toMatchObject({ statusCode: status, retryable: false, uncertain: false });
  expect(it.requests).toBe(1);
});

describe('a connection that is not made', () => {
  test.each(names)('%s is tried again, but for a stream', async (name) => {
    const port = await freePort();
    let late: ReturnType<typeof serve> | undefined;
    server = Object.assign(
      { url: `http://127.0.0.1:${port}`, close: async () => (await late)?.close() },
      { requests: 0 },
    );
    let requests = 0;
    // What a hook throws would not fail the test, so what it saw is looked at afterwards.
    const errors: unknown[] = [];
    const onRetry: ClientOptions['onRetry'] = ({ error }) => {
      errors.push(error);
      late ??= listenAt(port, () => requests++);
    };
    if (name === 'upload of a stream') {
      const error = await failure(calls[name]({ onRetry }));
      expect(error).toMatchObject({ code: 'connection_failed', uncertain: false, retryable: false });
      return;
    }
    await calls[name]({ onRetry });
    expect(requests).toBe(1);
    expect(errors[0]).toMatchObject({ code: 'connection_failed', uncertain: false });
  });

  test('counts as such for a host that has no address', async () => {
    const error = await failure(
      rest({ retries: 0 }, 'http://no-such-host.invalid')({ operation: 'x', method: 'POST', path: '/' }),
    );
    expect(error).toMatchObject({ code: 'connection_failed', uncertain: false, retryable: true });
  });
});

describe('all attempts together', () => {
  test('share one requestTimeoutMs, and the error keeps what went before', async () => {
    server = await serveFaults([{ status: 503 }, 'answer'], () => undefined);
    const error = await failure(calls.List({ requestTimeoutMs: 1_000 }));
    expect(error).toMatchObject({ code: 'request_timeout', attempts: 2, uncertain: true, retryable: true });
    expect(server.requests).toBe(2);
  });

  test('are one where retries are 0', async () => {
    const it = await meet({ status: 503 }, 'answer');
    expect(await failure(calls.List({ retries: 0 }))).toMatchObject({
      code: 'service_busy',
      attempts: 1,
      retryable: true,
    });
    expect(it.requests).toBe(1);
  });

  test('leave no timer behind when the wait is aborted', async () => {
    await meet({ status: 429, headers: { 'retry-after': '50' } });
    const controller = new AbortController();
    const before = process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
    const work = connect({ onRetry: () => controller.abort('enough') }).call(
      { signal: controller.signal, requestTimeoutMs: 0 },
      'x',
      (rpc, signal) => rpc.process.list({}, { signal }),
    );
    await expect(work).rejects.toBe('enough');
    const after = process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
    expect(after).toBeLessThanOrEqual(before);
  });

  test('of all calls are bounded by a budget of the server', async () => {
    const it = await meet({ status: 503 });
    await Promise.all(Array.from({ length: 60 }, () => failure(calls.List())));
    // 60 that are made anyway, and 100 retries in the place of 180.
    expect(it.requests).toBe(160);
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function listenAt(port: number, count: () => void): ReturnType<typeof serve> {
  return serve((request, response) => {
    count();
    const type = String(request.headers['content-type']);
    request.resume();
    if (type.startsWith('application/connect')) response.writeHead(200, { 'content-type': type }).end(stream);
    else if (type === 'application/proto') response.writeHead(200, { 'content-type': type }).end();
    else answerJson(response, 200, {});
  }, port);
}
