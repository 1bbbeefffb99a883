import { afterEach, describe, expect, test, vi } from 'vitest';
import { fetchSession } from '../../../src/transport/fetch-session.js';
import { answerJson, serve, type TestServer } from '../support/serve.js';

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const urls = { envd: '/e', pty: '/p', refresh: '/r', session: '/s', sign: '/f' };
const session = {
  token: 't',
  expiresAt: 1,
  ttlMs: 1,
  sessionId: 's',
  sandboxId: 'i1',
  envdVersion: '0.6.13',
  urls,
  grant: {},
};
const direct = {
  direct: { envdUrl: 'https://envd.test', headers: { 'x-access-token': 'secret' } },
  sandboxId: 'i1',
  envdVersion: '0.6.13',
};

interface Asked {
  key: unknown;
  body: unknown;
}

/** A broker that gives one answer after the other; without a status the connection is destroyed. */
async function answers(
  ...list: { status?: number; body?: unknown; retryAfter?: string }[]
): Promise<Asked[]> {
  const asked: Asked[] = [];
  server = await serve(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    asked.push({ key: request.headers['idempotency-key'], body: JSON.parse(text) });
    const { status, body, retryAfter } = list[Math.min(asked.length, list.length) - 1] ?? {};
    if (retryAfter) response.setHeader('retry-after', retryAfter);
    if (status === undefined) response.destroy();
    else answerJson(response, status, body);
  });
  return asked;
}

describe('fetchSession', () => {
  test('sends what was asked for, and a name for the request', async () => {
    const asked = await answers({ status: 201, body: session });
    const grant = { commands: 'run' as const };
    await fetchSession(`${server?.url}/`, { sandboxId: 'i1', grant, invitation: 'x.y.z' });
    await fetchSession(`${server?.url}`);
    await fetchSession(`${server?.url}`, { idempotencyKey: 'mine' });
    expect(asked).toEqual([
      { key: expect.stringMatching(/^[\w-]{1,64}$/), body: { sandboxId: 'i1', grant, invitation: 'x.y.z' } },
      { key: expect.stringMatching(/^[\w-]{1,64}$/), body: {} },
      { key: 'mine', body: {} },
    ]);
    expect(asked[0]?.key).not.toBe(asked[1]?.key);
  });

  test('asks again under the same name when the answer is lost, or is still being made', async () => {
    const asked = await answers(
      {},
      { status: 429, retryAfter: '0' },
      { status: 409, body: { code: 'idempotency_in_progress' }, retryAfter: '0' },
      { status: 201, body: session },
    );
    expect(await fetchSession(`${server?.url}`)).toEqual(session);
    expect(asked).toHaveLength(4);
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
  });

  test.each([400, 401, 403, 404, 500])('does not ask again after %i', async (status) => {
    const asked = await answers({ status, body: { code: 'some_code', message: 'no' } });
    await expect(fetchSession(`${server?.url}`)).rejects.toMatchObject({ statusCode: status });
    expect(asked).toHaveLength(1);
  });

  test('gives up at once when it is told to', async () => {
    const asked = await answers({ status: 429, retryAfter: '30' });
    const controller = new AbortController();
    const call = fetchSession(`${server?.url}`, { signal: controller.signal });
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  test('gets a direct session by name alone', async () => {
    const asked = await answers({ status: 201, body: direct });
    expect(await fetchSession(`${server?.url}`, { direct: true })).toEqual(direct);
    expect(asked).toMatchObject([{ body: { direct: true } }]);
    await expect(fetchSession(`${server?.url}`)).rejects.toMatchObject({ code: 'invalid_session' });
  });

  test.each<[string, object]>([
    ['direct', { ...direct, direct: 'x' }],
    ['direct.envdUrl', { ...direct, direct: { headers: {} } }],
    ['direct.headers', { ...direct, direct: { envdUrl: 'https://x.test' } }],
    ['direct.headers.a', { ...direct, direct: { envdUrl: 'https://x.test', headers: { a: 1 } } }],
    ['sandboxId', { direct: direct.direct, envdVersion: '1' }],
    ['envdVersion', { direct: direct.direct, sandboxId: 'i1' }],
  ])('says by name that %s of a direct session is wrong', async (name, body) => {
    await answers({ status: 201, body });
    await expect(fetchSession(`${server?.url}`, { direct: true })).rejects.toMatchObject({
      code: 'invalid_session',
      message: expect.stringContaining(`"${name}"`),
    });
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
    ['invitation', '/api', { invitation: '' }],
    ['direct', '/api', { direct: 'yes' }],
    ['idempotencyKey', '/api', { idempotencyKey: 'a b' }],
    ['idempotencyKey', '/api', { idempotencyKey: 'x'.repeat(65) }],
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
