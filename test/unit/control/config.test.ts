import { afterEach, describe, expect, test, vi } from 'vitest';
import { createControlApi } from '../../../src/control/api.js';
import { connectionConfig } from '../../../src/control/config.js';
import { answerJson, serve, type TestServer } from '../support/serve.js';

let server: TestServer | undefined;

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  await server?.close();
  server = undefined;
});

describe('the configuration', () => {
  test('reads the environment when it is asked, and prefers what it is given', async () => {
    vi.stubEnv('E2B_API_KEY', 'e2b_env');
    vi.stubEnv('E2B_DOMAIN', 'sandboxes.example');
    vi.stubEnv('E2B_SANDBOX_URL', '');
    const config = connectionConfig();
    expect(config).toMatchObject({ apiUrl: 'https://api.sandboxes.example', sandboxUrl: undefined });
    expect(await config.apiKey()).toBe('e2b_env');
    expect(await connectionConfig({ apiKey: async () => 'e2b_given' }).apiKey()).toBe('e2b_given');
    expect(connectionConfig({ apiUrl: 'http://127.0.0.1:1/' }).apiUrl).toBe('http://127.0.0.1:1');
  });

  test.each([
    ['', 'api_key_missing'],
    ['e2b_00 11', 'api_key_malformed'],
    ['e2b_00\n', 'api_key_malformed'],
  ])('refuses the key %j', async (apiKey, code) => {
    vi.stubEnv('E2B_API_KEY', '');
    const error = await connectionConfig({ apiKey })
      .apiKey()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'AuthenticationError', code });
    expect(String(error)).not.toContain('e2b_00');
  });

  test.each([
    'localhost:3000',
    'api.e2b.app',
    'http://',
    'https://a.example?b',
    'https://a.example/#b',
    'https://me:secret@a.example',
  ])('refuses the address %j', (url) => {
    expect(() => connectionConfig({ apiUrl: url })).toThrow(/apiUrl is/);
    expect(() => connectionConfig({ sandboxUrl: url })).toThrow(/sandboxUrl is/);
    expect(() => connectionConfig({ apiUrl: url })).not.toThrow(/secret/);
  });

  test.each(['https://e2b.app', 'e2b.app/', 'me@e2b.app'])('refuses the domain %j', (domain) => {
    expect(() => connectionConfig({ domain })).toThrow(/domain is/);
    vi.stubEnv('E2B_DOMAIN', domain);
    expect(() => connectionConfig()).toThrow(/E2B_DOMAIN is/);
  });

  test('does not use a key in a page unless told to', () => {
    vi.stubGlobal('document', {});
    expect(() => connectionConfig({ apiKey: 'e2b_00' })).toThrow(/e2b-edge\/broker/);
    expect(connectionConfig({ apiKey: 'e2b_00', dangerouslyAllowBrowser: true }).streamingUploads).toBe(
      false,
    );
  });
});

describe('the control plane', () => {
  const api = (retries?: number) =>
    createControlApi({
      apiUrl: server?.url ?? '',
      apiKey: () => 'e2b_00',
      ...(retries !== undefined && { client: { retries } }),
    });

  test('encodes the metadata of a list three times, as the server decodes it', async () => {
    let url = '';
    server = await serve((request, response) => {
      url = String(request.url);
      answerJson(response, 200, [], { 'x-next-token': 'n' });
    });
    const query = { metadata: { 'a b': 'c&d' }, state: ['running', 'paused'], limit: 2 };
    expect(await api().list(query)).toEqual({ items: [], nextToken: 'n' });
    const once = new URL(url, server.url).searchParams;
    expect(once.get('state')).toBe('running,paused');
    const [[key, value] = []] = [...new URLSearchParams(once.get('metadata') ?? '')];
    expect([decodeURIComponent(String(key)), decodeURIComponent(String(value))]).toEqual(['a b', 'c&d']);
  });

  test('tries a refused create again only after Retry-After, and a failed one not at all', async () => {
    const answers: [number, Record<string, string>][] = [
      [429, { 'retry-after': '0' }],
      [503, {}],
    ];
    let calls = 0;
    server = await serve((_request, response) => {
      const [status, headers] = answers[calls++] ?? [201, {}];
      answerJson(response, status, { code: status, message: 'no' }, headers);
    });
    await expect(api().create({ templateID: 'base' })).rejects.toMatchObject({ statusCode: 503 });
    expect(calls).toBe(2);
  });

  test('gives up with what the server said about when to come back', async () => {
    server = await serve((_request, response) =>
      answerJson(response, 429, { code: 429, message: 'slow down' }, { 'retry-after': '7' }),
    );
    await expect(api(0).kill('i1')).rejects.toMatchObject({ name: 'RateLimitError', retryAfterMs: 7_000 });
  });

  test('a wrong key and a sandbox that is not there have their own errors', async () => {
    let status = 401;
    server = await serve((_request, response) =>
      answerJson(response, status, { code: status, message: 'no' }),
    );
    await expect(api().info('i1')).rejects.toMatchObject({
      name: 'AuthenticationError',
      code: 'unauthenticated',
    });
    status = 404;
    await expect(api().info('i1')).rejects.toMatchObject({
      name: 'SandboxNotFoundError',
      code: 'sandbox_not_found',
    });
    await expect(api().kill('i1')).resolves.toBe(false);
  });

  test('does not wait for longer than the call may take', async () => {
    server = await serve((_request, response) =>
      answerJson(response, 429, { code: 429, message: 'slow down' }, { 'retry-after': '60' }),
    );
    await expect(api().kill('i1', { requestTimeoutMs: 1_000 })).rejects.toMatchObject({
      name: 'RateLimitError',
      retryAfterMs: 60_000,
    });
  });

  test('counts the body of an answer to the time of the call', async () => {
    server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('[');
    });
    await expect(api().list({}, { requestTimeoutMs: 100 })).rejects.toMatchObject({
      name: 'TimeoutError',
      code: 'request_timeout',
    });
  });

  test('does not follow a redirect with its key', async () => {
    const paths: unknown[] = [];
    server = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    await expect(api().create({ templateID: 'base' })).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'unexpected_redirect',
    });
    expect(paths).toEqual(['/v2/sandboxes']);
  });

  test.each([
    ['text/html', '<!doctype html>'],
    ['application/json', '{"status":"ok"}'],
    ['application/json', ''],
  ])('takes no %s %j for a sandbox', async (type, body) => {
    server = await serve((_request, response) => response.writeHead(200, { 'content-type': type }).end(body));
    await expect(api().create({ templateID: 'base' })).rejects.toMatchObject({
      name: 'SandboxError',
      code: 'protocol_error',
    });
  });
});
