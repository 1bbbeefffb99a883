import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { envelope, sh } from './support/rpc.js';
import { api, createSandbox, envdHeaders, startServer } from './support/server.js';
import { until } from './support/until.js';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
});

interface Listed {
  sandboxID: string;
  endAt: string;
  startedAt: string;
}

async function json<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
}

describe('create', () => {
  test.each(['/sandboxes', '/v2/sandboxes'])('answers %s with every required field', async (path) => {
    const response = await api(server, 'POST', path, { templateID: 'base', timeout: 60 });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      templateID: 'base',
      sandboxID: expect.stringMatching(/^i[a-z0-9]{20}$/),
      clientID: '6532622b',
      envdVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      envdAccessToken: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test.each([
    [{}, 'templateID'],
    [{ templateID: 'base', timeout: 0 }, 'timeout'],
    [{ templateID: 'base', timeout: 1.5 }, 'timeout'],
    [{ templateID: 'base', timeout: 86_401 }, 'timeout'],
    [{ templateID: 'base', metadata: { a: 1 } }, 'metadata.a'],
    [{ templateID: 'base', envVars: [] }, 'envVars'],
    [[], 'body'],
  ])('refuses %j and names %s', async (body, named) => {
    const response = await api(server, 'POST', '/v2/sandboxes', body);
    expect(response.status).toBe(400);
    const error = await json<{ code: number; message: string }>(response);
    expect(error.code).toBe(400);
    expect(error.message).toContain(named);
  });

  test('refuses what is no JSON', async () => {
    const response = await fetch(`${server.apiUrl}/v2/sandboxes`, {
      method: 'POST',
      headers: { 'x-api-key': server.apiKey },
      body: '{"templateID":',
    });
    expect(response.status).toBe(400);
  });

  test('refuses what it could not keep', async () => {
    for (const field of [{ autoPause: true }, { volumeMounts: [] }, { network: {} }, { mcp: {} }]) {
      const response = await api(server, 'POST', '/v2/sandboxes', { templateID: 'base', ...field });
      expect(response.status).toBe(501);
      expect((await json<{ message: string }>(response)).message).toContain(Object.keys(field)[0]);
    }
  });

  test('says what is not here, and what is nowhere', async () => {
    const { sandboxID } = await createSandbox(server);
    expect((await api(server, 'POST', `/sandboxes/${sandboxID}/pause`, {})).status).toBe(501);
    expect((await api(server, 'GET', '/volumes')).status).toBe(501);
    expect((await api(server, 'GET', '/nothing')).status).toBe(404);
    expect((await api(server, 'PUT', '/v2/sandboxes')).status).toBe(405);
  });
});

describe('life and end', () => {
  test('connect only ever extends; timeout also shortens', async () => {
    const { sandboxID, envdAccessToken } = await createSandbox(server, { timeout: 100 });
    const endAt = async (): Promise<number> =>
      Date.parse((await json<Listed>(await api(server, 'GET', `/sandboxes/${sandboxID}`))).endAt) -
      Date.now();
    const connected = await api(server, 'POST', `/v2/sandboxes/${sandboxID}/connect`, { timeout: 10 });
    expect(connected.status).toBe(200);
    expect(await connected.json()).toMatchObject({ sandboxID, envdAccessToken });
    expect(await endAt()).toBeGreaterThan(50_000);
    await api(server, 'POST', `/sandboxes/${sandboxID}/connect`, { timeout: 1000 });
    expect(await endAt()).toBeGreaterThan(500_000);
    expect((await api(server, 'POST', `/sandboxes/${sandboxID}/timeout`, { timeout: 20 })).status).toBe(204);
    expect(await endAt()).toBeLessThan(21_000);
    expect((await api(server, 'POST', `/sandboxes/${sandboxID}/refreshes`, { duration: 0 })).status).toBe(
      204,
    );
    expect(await endAt()).toBeGreaterThan(15_000);
  });

  test('a killed sandbox is gone for everyone', async () => {
    const sandbox = await createSandbox(server);
    const path = `/sandboxes/${sandbox.sandboxID}`;
    expect((await api(server, 'DELETE', path)).status).toBe(204);
    for (const [method, suffix, body] of [
      ['DELETE', ''],
      ['GET', ''],
      ['POST', '/timeout', { timeout: 1 }],
      ['POST', '/connect', { timeout: 1 }],
      ['POST', '/refreshes', {}],
    ] as const) {
      const response = await api(server, method, path + suffix, body);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 404 });
    }
    const health = await fetch(`${server.sandboxUrl}/health`, { headers: envdHeaders(sandbox) });
    expect(health.status).toBe(502);
  });

  test('an answer that the kill cuts off does not look whole', async () => {
    const sandbox = await createSandbox(server);
    const response = await fetch(`${server.sandboxUrl}/process.Process/Start`, {
      method: 'POST',
      headers: { ...envdHeaders(sandbox), 'content-type': 'application/connect+json' },
      body: envelope(sh('sleep 60')),
    });
    const body = response.arrayBuffer();
    const [killed] = await Promise.all([
      api(server, 'DELETE', `/sandboxes/${sandbox.sandboxID}`),
      expect(body).rejects.toThrow('terminated'),
    ]);
    expect(killed.status).toBe(204);
  });

  test('so is one whose time is over', async () => {
    const sandbox = await createSandbox(server, { timeout: 1 });
    await until('the sandbox ended', async () => {
      const health = await fetch(`${server.sandboxUrl}/health`, { headers: envdHeaders(sandbox) });
      return health.status === 502;
    });
    expect((await api(server, 'GET', `/sandboxes/${sandbox.sandboxID}`)).status).toBe(404);
  });

  test('a timeout of 0 ends it at once', async () => {
    const { sandboxID } = await createSandbox(server);
    expect((await api(server, 'POST', `/sandboxes/${sandboxID}/timeout`, { timeout: 0 })).status).toBe(204);
    expect((await api(server, 'GET', `/sandboxes/${sandboxID}`)).status).toBe(404);
  });
});

describe('list', () => {
  test('pages in order, by metadata that is encoded twice', async () => {
    const metadata = { who: 'a b&c=ü%', run: String(Math.random()) };
    const created = [];
    for (let i = 0; i < 5; i++) created.push((await createSandbox(server, { metadata })).sandboxID);
    const query = new URLSearchParams(
      Object.entries(metadata).map(([key, value]) => [encodeURIComponent(key), encodeURIComponent(value)]),
    );
    for (const order of ['asc', 'desc']) {
      const found: string[] = [];
      let token: string | null = '';
      while (token !== null) {
        const filter: string = new URLSearchParams({
          metadata: query.toString(),
          limit: '2',
          order,
        }).toString();
        const response = await api(server, 'GET', `/v2/sandboxes?${filter}${token && `&nextToken=${token}`}`);
        expect(response.status).toBe(200);
        found.push(...(await json<Listed[]>(response)).map(({ sandboxID }) => sandboxID));
        token = response.headers.get('x-next-token');
      }
      expect(new Set(found)).toEqual(new Set(created));
      expect(found).toHaveLength(created.length);
    }
    const none = await api(server, 'GET', `/v2/sandboxes?metadata=${encodeURIComponent('who=nobody')}`);
    expect(await none.json()).toEqual([]);
  });

  test('has running sandboxes only', async () => {
    await createSandbox(server);
    expect(await json<Listed[]>(await api(server, 'GET', '/v2/sandboxes?state=paused'))).toEqual([]);
    const both = await json<Listed[]>(await api(server, 'GET', '/v2/sandboxes?state=running,paused'));
    expect(both.length).toBeGreaterThan(0);
    expect(await json<Listed[]>(await api(server, 'GET', '/sandboxes'))).toHaveLength(both.length);
  });

  test('refuses what makes no sense', async () => {
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'nextToken=x', 'order=up', 'startedAfter=x']) {
      expect((await api(server, 'GET', `/v2/sandboxes?${query}`)).status).toBe(400);
    }
  });
});
