import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { api, type Created, createSandbox, envdHeaders, startServer } from './support/server.js';

const listed = 'http://localhost:5173';
let server: LocalServer;
let sandbox: Created;

beforeAll(async () => {
  server = await startServer({ origins: [listed] });
  sandbox = await createSandbox(server);
});

/** fetch does not let Host be set. */
function get(path: string, headers: Record<string, string>, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: server.port, path, method, headers }, (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      });
      sent.on('error', reject).end();
    },
  );
}

describe('Host', () => {
  test.each([
    'evil.example',
    'evil.example:80',
    'localhost.evil.example',
    '127.0.0.1:1',
    '10.0.0.1',
    'sandbox.evil.example',
  ])('refuses %j, key or not', async (host) => {
    const answer = await get('/v2/sandboxes', { host, 'x-api-key': server.apiKey });
    expect(answer.status).toBe(421);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 421 });
  });

  test('refuses it for a sandbox with the right token, too', async () => {
    const answer = await get('/health', { ...envdHeaders(sandbox), host: 'evil.example' });
    expect(answer.status).toBe(421);
  });

  test.each(['localhost', '127.0.0.1', '[::1]'])('answers %s with its port', async (name) => {
    const answer = await get('/v2/sandboxes', { host: `${name}:${server.port}`, 'x-api-key': server.apiKey });
    expect(answer.status).toBe(200);
  });

  test('finds the sandbox in the name, also with a client id behind it', async () => {
    for (const label of [`49983-${sandbox.sandboxID}`, `49983-${sandbox.sandboxID}-6532622b`]) {
      const answer = await get('/health', { host: `${label}.localhost:${server.port}` });
      expect(answer.status).toBe(204);
    }
  });

  test('says that a sandbox or its port is not there', async () => {
    const unknown = await get('/health', { host: '49983-i00000000000000000000.localhost' });
    expect(unknown.status).toBe(502);
    expect(JSON.parse(unknown.body)).toMatchObject({ message: 'The sandbox was not found', code: 502 });
    const closed = await get('/', { host: `3000-${sandbox.sandboxID}.localhost` });
    expect(closed.status).toBe(502);
    expect(JSON.parse(closed.body)).toMatchObject({ port: 3000, code: 502 });
  });

  test('wants both routing headers, or none', async () => {
    const answer = await get('/health', {
      host: `localhost:${server.port}`,
      'e2b-sandbox-id': sandbox.sandboxID,
    });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('E2b-Sandbox-Port');
  });
});

test.each(['//', '*', '/%', '/\\', 'http://[', '/files?%', '//files'])(
  'survives a request for %j',
  async (path) => {
    for (const headers of [{}, envdHeaders(sandbox)]) {
      const answer = await get(path, { host: `localhost:${server.port}`, ...headers });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
  },
);

describe('the control plane', () => {
  test('wants its key', async () => {
    const messages = [];
    for (const key of [undefined, 'nonsense', `e2b_${'0'.repeat(40)}`]) {
      const response = await fetch(`${server.apiUrl}/v2/sandboxes`, {
        headers: key ? { 'x-api-key': key } : {},
      });
      expect(response.status).toBe(401);
      const body = (await response.json()) as { code: number; message: string };
      expect(body.code).toBe(401);
      messages.push(body.message);
    }
    expect(messages[0]).toBe('authorization header is missing');
    expect(messages[1]).toBe('authorization header is malformed');
  });

  test('refuses pages that are not listed, also with the key, and creates nothing', async () => {
    const before = await (await api(server, 'GET', '/v2/sandboxes')).json();
    for (const origin of ['https://evil.example', 'null', 'http://localhost:9']) {
      const response = await fetch(`${server.apiUrl}/v2/sandboxes`, {
        method: 'POST',
        headers: { origin, 'x-api-key': server.apiKey },
        body: '{"templateID":"base"}',
      });
      expect(response.status).toBe(403);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
    const preflight = await get(
      '/v2/sandboxes',
      {
        host: `localhost:${server.port}`,
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-api-key',
      },
      'OPTIONS',
    );
    expect(preflight.status).toBe(403);
    expect(await (await api(server, 'GET', '/v2/sandboxes')).json()).toEqual(before);
  });

  test('answers pages that are listed', async () => {
    const headers = { host: `localhost:${server.port}`, origin: listed };
    const preflight = await get(
      '/v2/sandboxes',
      { ...headers, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' },
      'OPTIONS',
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-headers']).toBe('x-api-key');
    const answer = await get('/v2/sandboxes', { ...headers, 'x-api-key': server.apiKey });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe(listed);
  });
});

describe('a sandbox', () => {
  test('wants its token, and not another sandbox’s', async () => {
    const other = await createSandbox(server);
    for (const token of [undefined, 'x', other.envdAccessToken]) {
      const { 'x-access-token': _own, ...routing } = envdHeaders(sandbox);
      const response = await fetch(`${server.sandboxUrl}/envs`, {
        headers: { ...routing, ...(token && { 'x-access-token': token }) },
      });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: 401 });
    }
  });

  test('never shows platform paths', async () => {
    for (const path of ['/init', '/freeze', '/upgrade']) {
      const response = await fetch(server.sandboxUrl + path, {
        method: 'POST',
        headers: envdHeaders(sandbox),
      });
      expect(response.status).toBe(404);
    }
  });

  test.each(['//init', '/x/../init', '/x/%2e%2e/init', '/x\\..\\init', '/./%2E/start/'])(
    'nor when they are written as %s',
    async (path) => {
      const headers = { ...envdHeaders(sandbox), host: `localhost:${server.port}` };
      const answer = await get(path, headers, 'POST');
      expect(answer.status).toBe(404);
    },
  );

  test('lets any page read its answers, errors included', async () => {
    const headers = { host: `localhost:${server.port}`, origin: 'https://app.example' };
    const preflight = await get(
      '/process.Process/Start',
      {
        ...headers,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,e2b-sandbox-id,e2b-sandbox-port,x-access-token',
      },
      'OPTIONS',
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('*');
    expect(preflight.headers['access-control-allow-headers']).toContain('x-access-token');
    const answer = await get('/envs', { ...headers, ...envdHeaders(sandbox) });
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-expose-headers']).toContain('Content-Range');
    const missing = await get('/health', { ...headers, ...envdHeaders(sandbox), 'e2b-sandbox-id': 'i0' });
    expect(missing.status).toBe(502);
    expect(missing.headers['access-control-allow-origin']).toBe('*');
  });
});

describe('a signed URL', () => {
  const sign = (query: Record<string, string>, token: string): string => {
    const { path = '', signature_expiration: expiration } = query;
    const parts = [path, 'read', '', token, ...(expiration === undefined ? [] : [expiration])];
    const digest = createHash('sha256').update(parts.join(':')).digest('base64').replace(/=+$/, '');
    return `/files?${new URLSearchParams({ ...query, signature: `v1_${digest}` })}`;
  };
  const now = Math.floor(Date.now() / 1000);

  test.each([
    ['for ever', {}, 200],
    ['until later', { signature_expiration: String(now + 600) }, 200],
    ['until a while ago', { signature_expiration: String(now - 600) }, 401],
    ['until a time that is none', { signature_expiration: 'later' }, 400],
    ['until nothing', { signature_expiration: '' }, 400],
  ])('%s', async (_when, fields: Record<string, string>, status) => {
    const url = sign({ path: '/home/user/.bashrc', ...fields }, sandbox.envdAccessToken);
    const named = await get(url, { host: `49983-${sandbox.sandboxID}.localhost` });
    expect(named.status).toBe(status);
  });

  test('without a name is for the sandbox whose token made it, and for no other', async () => {
    const host = `localhost:${server.port}`;
    const url = sign({ path: '/home/user/.bashrc' }, sandbox.envdAccessToken);
    expect((await get(url, { host })).status).toBe(200);
    const other = await createSandbox(server);
    expect((await get(url, { host: `49983-${other.sandboxID}.localhost` })).status).toBe(401);
    expect((await get(sign({ path: '/home/user/.bashrc' }, 'guessed'), { host })).status).toBe(401);
    expect((await get(url, { host, 'x-access-token': 'x' })).status).toBe(401);
    expect((await get(url.replace('.bashrc', '.profile'), { host })).status).toBe(401);
    expect((await get(url, { host }, 'POST')).status).toBe(401);
  });
});
