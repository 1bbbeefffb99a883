import { afterEach, describe, expect, test, vi } from 'vitest';
import { authorizeFetch } from '../../../src/transport/authorized-fetch.js';
import { fetchSession } from '../../../src/transport/fetch-session.js';
import { SessionCredential } from '../../../src/transport/session-credential.js';
import type { Session } from '../../../src/wire/session.js';
import { answerJson, serve, type TestServer } from '../support/serve.js';

let server: TestServer | undefined;

afterEach(async () => {
  vi.useRealTimers();
  await server?.close();
  server = undefined;
});

function session(token: string, over: Partial<Session> = {}): Session {
  const base = server?.url ?? 'http://127.0.0.1:1';
  return {
    token,
    expiresAt: Date.now() + 300_000,
    ttlMs: 300_000,
    sessionId: 's',
    sandboxId: 'i1',
    envdVersion: '0.6.13',
    urls: {
      envd: `${base}/envd/i1`,
      pty: `${base}/pty/i1`,
      refresh: `${base}/refresh`,
      session: `${base}/sessions/s`,
      sign: `${base}/files/sign`,
    },
    grant: {},
    ...over,
  };
}

/** A broker that gives out `t2`, `t3`, … and remembers what it was shown. */
async function refreshingBroker(): Promise<string[]> {
  const shown: string[] = [];
  server = await serve((request, response) => {
    shown.push(String(request.headers.authorization));
    answerJson(response, 200, session(`t${shown.length + 1}`));
  });
  return shown;
}

describe('a session credential', () => {
  test('keeps its token for the first 80 % of its life, and then refreshes it once for all callers', async () => {
    const shown = await refreshingBroker();
    const credential = await SessionCredential.obtain(session('t1'));
    expect(await credential.token()).toBe('t1');
    vi.setSystemTime(Date.now() + 239_000);
    expect(await credential.token()).toBe('t1');
    vi.setSystemTime(Date.now() + 2_000);
    expect(await Promise.all([credential.token(), credential.token(), credential.token()])).toEqual([
      't2',
      't2',
      't2',
    ]);
    expect(shown).toEqual(['Bearer t1']);
  });

  test('replaces a refused token, but not one that has been replaced meanwhile', async () => {
    const shown = await refreshingBroker();
    const credential = await SessionCredential.obtain(session('t1'));
    const refused = await credential.headers();
    await Promise.all([credential.renew(refused), credential.renew(refused)]);
    await credential.renew(refused);
    expect(await credential.headers()).toEqual({ authorization: 'Bearer t2' });
    expect(shown).toEqual(['Bearer t1']);
  });

  test('asks its source, naming the sandbox, when the broker would not refresh', async () => {
    server = await serve((_request, response) =>
      answerJson(response, 401, { code: 'unauthenticated', message: 'no' }),
    );
    const source = vi.fn(() => session(`t${source.mock.calls.length}`));
    const credential = await SessionCredential.obtain(source);
    await credential.renew(await credential.headers());
    expect(source.mock.calls).toEqual([[{ reason: 'connect' }], [{ reason: 'renew', sandboxId: 'i1' }]]);
    expect(await credential.token()).toBe('t2');
  });

  test('refuses a new session for another sandbox', async () => {
    server = await serve((_request, response) =>
      answerJson(response, 401, { code: 'unauthenticated', message: 'no' }),
    );
    let sandboxId = 'i1';
    const credential = await SessionCredential.obtain(() => session('t', { sandboxId }));
    sandboxId = 'i2';
    await expect(credential.renew(await credential.headers())).rejects.toMatchObject({
      name: 'AuthenticationError',
      code: 'session_refused',
    });
  });

  test('says that a session that cannot be got again has expired', async () => {
    server = await serve((_request, response) =>
      answerJson(response, 403, { code: 'permission_denied', message: 'no' }),
    );
    const credential = await SessionCredential.obtain(session('t1'));
    await expect(credential.renew(await credential.headers())).rejects.toMatchObject({
      name: 'AuthenticationError',
      code: 'session_expired',
    });
  });

  test('goes on with a token that has some life while the broker cannot be reached', async () => {
    const credential = await SessionCredential.obtain(session('t1'));
    vi.setSystemTime(Date.now() + 250_000);
    expect(await credential.token()).toBe('t1');
    vi.setSystemTime(Date.now() + 60_000);
    await expect(credential.token()).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'connection_failed',
    });
  });

  test.each([429, 500, 503])('goes on with such a token while the broker answers %i', async (status) => {
    server = await serve((_request, response) => answerJson(response, status, { message: 'later' }));
    const credential = await SessionCredential.obtain(session('t1'));
    vi.setSystemTime(Date.now() + 250_000);
    expect(await credential.token()).toBe('t1');
  });

  test('holds no call up for longer than the call may take', async () => {
    server = await serve(() => undefined);
    const credential = await SessionCredential.obtain(session('t1'));
    vi.setSystemTime(Date.now() + 250_000);
    const reason = new Error('enough');
    const send = authorizeFetch(credential, async () => expect.unreachable());
    await expect(send(server.url, { signal: AbortSignal.abort(reason) }, 'rpc')).rejects.toBe(reason);
    const controller = new AbortController();
    const call = send(server.url, { signal: controller.signal }, 'rpc');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  test('says what answered in the place of a broker', async () => {
    server = await serve((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>'),
    );
    await expect(fetchSession(server.url)).rejects.toMatchObject({
      name: 'SandboxError',
      code: 'protocol_error',
      message: expect.stringContaining('text/html'),
    });
  });

  test('a route that is not there is no missing sandbox, and the error names the address', async () => {
    server = await serve((_request, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<html></html>');
    });
    const error = await fetchSession(`${server.url}/api`).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'NotFoundError', code: 'route_not_found', statusCode: 404 });
    expect((error as Error).message).toContain(`${server.url}/api/sessions`);
  });

  test.each<[string, unknown, object | null]>([
    ['brokerUrl', null, {}],
    ['brokerUrl', '', {}],
    ['options', '/api', null],
    ['sandboxId', '/api', { sandboxId: '' }],
    ['sandboxId', '/api', { sandboxId: 7 }],
    ['grant', '/api', { grant: 'all' }],
    ['headers', '/api', { headers: { a: 1 } }],
    ['credentials', '/api', { credentials: true }],
    ['fetch', '/api', { fetch: 'node-fetch' }],
    ['signal', '/api', { signal: 5 }],
    ['requestTimeoutMs', '/api', { requestTimeoutMs: -1 }],
  ])('a wrong %s is refused by name', async (name, url, options) => {
    const message = expect.stringContaining(name);
    await expect(fetchSession(url as string, options as object)).rejects.toMatchObject({
      code: 'invalid_argument',
      message,
    });
  });
});
