import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { envelope, sh } from './support/rpc.js';
import { api, type Created, createSandbox, envdHeaders, startServer } from './support/server.js';
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

async function json<T = unknown>(response: Response): Promise<T> {
  return (await response.json()) as T;
}

describe('create', () => {
  test.each(['/sandboxes', '/v2/sandboxes'])('answers %s with every required field', async (path) => {
    const response = await api(server, 'POST', path, { templateID: 'base', timeout: 60 });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      templateID: 'base',
      alias: 'base',
      sandboxID: expect.stringMatching(/^i[a-z0-9]{20}$/),
      clientID: '6532622b',
      envdVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      ...(path === '/v2/sandboxes' && { envdAccessToken: expect.stringMatching(/^[0-9a-f]{64}$/) }),
    });
  });

  test.each([
    ['/sandboxes', 15],
    ['/v2/sandboxes', 300],
  ])('%s lasts %i seconds unless told otherwise', async (path, seconds) => {
    const made = await json<Created>(await api(server, 'POST', path, { templateID: 'base' }));
    // With the id that clients once had behind it, as old ones send it.
    const detail = await json<Listed>(await api(server, 'GET', `/sandboxes/${made.sandboxID}-6532622b`));
    expect(Date.parse(detail.endAt) - Date.parse(detail.startedAt)).toBe(seconds * 1000);
  });

  test('the first version has a token only when asked for, the second always', async () => {
    const token = async (path: string, body: object): Promise<unknown> =>
      (await json<Created>(await api(server, 'POST', path, { templateID: 'base', ...body }))).envdAccessToken;
    expect(await token('/sandboxes', { secure: true })).toMatch(/^[0-9a-f]{64}$/);
    expect(await token('/sandboxes', { secure: false })).toBeUndefined();
    expect(await token('/v2/sandboxes', { secure: false })).toMatch(/^[0-9a-f]{64}$/);
  });

  test('has a traffic token when its ports are not public, which takes a secured sandbox', async () => {
    const network = { allowPublicTraffic: false };
    const body = { templateID: 'base', network };
    const made = await json<Created>(await api(server, 'POST', '/v2/sandboxes', body));
    expect(made.trafficAccessToken).toMatch(/^[0-9a-f]{64}$/);
    const again = await api(server, 'POST', `/v2/sandboxes/${made.sandboxID}/connect`, {});
    expect(await again.json()).toEqual(made);
    const detail = await json(await api(server, 'GET', `/sandboxes/${made.sandboxID}`));
    expect(detail).toMatchObject({ network });
    expect(detail).not.toHaveProperty('trafficAccessToken');
    expect((await api(server, 'POST', '/sandboxes', body)).status).toBe(400);
  });

  test('forgives absent, null and unknown fields', async () => {
    const body = { templateID: 'base', metadata: null, envVars: null, network: null, iam: { tokens: {} } };
    const more = { timeout: null, volumeMounts: [], mcp: null, autoPause: null, autoResume: null, x: 1 };
    expect((await api(server, 'POST', '/v2/sandboxes', { ...body, ...more })).status).toBe(201);
  });

  test.each([
    [{}, 'templateID'],
    [{ templateID: 'base', timeout: 0 }, 'timeout'],
    [{ templateID: 'base', timeout: 1.5 }, 'timeout'],
    [{ templateID: 'base', timeout: 86_401 }, 'timeout'],
    [{ templateID: 'base', metadata: { a: 1 } }, 'metadata.a'],
    [{ templateID: 'base', envVars: [] }, 'envVars'],
    [{ templateID: 'base', envVars: { 'a=b': '' } }, 'envVars'],
    [{ templateID: 'base', autoPause: 'yes' }, 'autoPause'],
    [{ templateID: 'base', autoPauseMemory: false }, 'autoPauseMemory'],
    [
      { templateID: 'base', autoPause: true, autoPauseMemory: false, autoResume: { enabled: true } },
      'autoResume',
    ],
    [{ templateID: 'base', autoResume: { enabled: 1 } }, 'autoResume.enabled'],
    [{ templateID: 'no such name' }, 'no such name'],
    [{ templateID: 'base', network: { allowOut: ['example.com'] } }, 'ALL_TRAFFIC'],
    [{ templateID: 'base', network: { denyOut: ['example.com'] } }, 'example.com'],
    [{ templateID: 'base', network: { denyOut: ['0.0.0.0'] } }, '0.0.0.0'],
    [{ templateID: 'base', network: { denyOut: ['10.0.0.0/33'] } }, '10.0.0.0/33'],
    [{ templateID: 'base', network: { maskRequestHost: 'a\r\nb' } }, 'mask request host'],
    [{ templateID: 'base', network: { httpsPorts: [0] } }, 'httpsPorts'],
    [{ templateID: 'base', network: { rules: { 'a b': [] } } }, 'a b'],
    [{ templateID: 'base', network: { rules: { a: [{}, {}] } } }, 'at most 1'],
    [{ templateID: 'base', network: { rules: { a: [{ transform: { headers: { 'x y': '' } } }] } } }, 'x y'],
    [{ templateID: 'base', network: { rules: { a: [{ transform: { headers: { x: '\n' } } }] } } }, '"x"'],
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

  test('refuses a body of more than 16 MiB, with an answer', async () => {
    const response = await api(server, 'POST', '/v2/sandboxes', { templateID: 'x'.repeat(17 << 20) });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: 413 });
  });

  test.each([
    { iam: { tokens: { aws: { audience: 'x', tokenType: 'JWT-SVID' } } } },
    { volumeMounts: [{ name: 'a', path: '/a' }] },
    { network: { egressProxy: { address: 'a:1' } } },
    { mcp: {} },
  ])('refuses what it could not keep: %j', async (field) => {
    const response = await api(server, 'POST', '/v2/sandboxes', { templateID: 'base', ...field });
    expect(response.status).toBe(501);
    expect((await json<{ message: string }>(response)).message).toContain(Object.keys(field)[0]);
  });

  test('says what is not here, and what is nowhere', async () => {
    expect((await api(server, 'GET', '/volumes')).status).toBe(501);
    expect((await api(server, 'POST', '/v3/templates', { name: 'x' })).status).toBe(501);
    expect((await api(server, 'GET', '/nothing')).status).toBe(404);
    expect((await api(server, 'GET', '/sandboxes/No%2Fid')).status).toBe(400);
    expect((await api(server, 'GET', '/sandboxes/%ff')).status).toBe(400);
    expect((await api(server, 'PUT', '/v2/sandboxes')).status).toBe(405);
  });
});

describe('keys', () => {
  const withKey = (at: LocalServer, key?: string): Promise<Response> =>
    fetch(`${at.apiUrl}/v2/sandboxes`, { headers: key === undefined ? {} : { 'x-api-key': key } });

  test('only the right one is let in, and the wrong ones are told apart', async () => {
    expect((await withKey(server, server.apiKey)).status).toBe(200);
    for (const [key, reason] of [
      [undefined, 'missing'],
      ['sk_1', 'malformed'],
      ['e2b_00', 'invalid'],
    ] as const) {
      const response = await withKey(server, key);
      expect(response.status).toBe(401);
      expect(await json(response)).toMatchObject({ code: 401, message: expect.stringContaining(reason) });
    }
    expect((await fetch(`${server.apiUrl}/health`)).status).toBe(200);
  });

  test('any, where that was asked for, but none is still none', async () => {
    const open = await startServer({ anyApiKey: true, isolation: 'none' });
    expect((await withKey(open, 'anything')).status).toBe(200);
    expect((await withKey(open, '')).status).toBe(401);
    expect((await withKey(open)).status).toBe(401);
  });
});

describe('network', () => {
  test('is stored, shown, replaced as a whole, and said not to be enforced, once', async () => {
    const warnings: string[] = [];
    const own = await startServer({ isolation: 'none', logger: { warn: (text) => warnings.push(text) } });
    const network = {
      allowOut: ['example.com', '8.8.8.8', 'fe80::1/64'],
      denyOut: ['0.0.0.0/0'],
      rules: { 'api.example.com': [{ transform: { headers: { Authorization: 'x' } } }] },
      maskRequestHost: `localhost:\${PORT}`,
      httpsPorts: [8443],
    };
    const { sandboxID } = await createSandbox(own, { network, allow_internet_access: true });
    await createSandbox(own, { network });
    const path = `/sandboxes/${sandboxID}`;
    expect(await json(await api(own, 'GET', path))).toMatchObject({ network, allowInternetAccess: true });
    expect((await api(own, 'PUT', `${path}/network`, { denyOut: ['10.0.0.0/8'] })).status).toBe(204);
    const after = await json<{ network: object }>(await api(own, 'GET', path));
    expect(after.network).toEqual({
      denyOut: ['10.0.0.0/8'],
      maskRequestHost: `localhost:\${PORT}`,
      httpsPorts: [8443],
    });
    expect(after).not.toHaveProperty('allowInternetAccess');
    expect((await api(own, 'PUT', `${path}/network`, { denyOut: ['x'] })).status).toBe(400);
    expect((await api(own, 'PUT', '/sandboxes/inone/network', {})).status).toBe(404);
    expect(warnings.filter((text) => text.includes('not enforced'))).toHaveLength(1);
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
      ['GET', '/metrics'],
      ['GET', '/logs'],
      ['POST', '/pause'],
      ['POST', '/resume', {}],
      ['POST', '/fork', {}],
      ['POST', '/snapshots', {}],
      ['PUT', '/network', {}],
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

  test('a page token stays good while sandboxes come and go', async () => {
    const run = String(Math.random());
    const query = `metadata=${encodeURIComponent(`run=${run}`)}&limit=1`;
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push((await createSandbox(server, { metadata: { run } })).sandboxID);
    const first = await api(server, 'GET', `/v2/sandboxes?${query}`);
    const token = first.headers.get('x-next-token');
    const [{ sandboxID: newest }] = await json<[Listed]>(first);
    await api(server, 'DELETE', `/sandboxes/${newest}`);
    await createSandbox(server, { metadata: { run } });
    const second = await api(server, 'GET', `/v2/sandboxes?${query}&nextToken=${token}`);
    expect(await json(second)).toMatchObject([{ sandboxID: ids[1] }]);
    const wrong = await api(server, 'GET', `/v2/sandboxes?${query}&order=asc&nextToken=${token}`);
    expect(wrong.status).toBe(400);
  });

  test('by state, template and start, with the number of running ones', async () => {
    const own = await startServer({ isolation: 'none', templates: { other: {} } });
    const paused = await createSandbox(own);
    const running = await createSandbox(own, { templateID: 'other' });
    await api(own, 'POST', `/sandboxes/${paused.sandboxID}/pause`);
    const { startedAt } = await json<Listed>(await api(own, 'GET', `/sandboxes/${running.sandboxID}`));
    const found = async (query: string): Promise<[string[], string | null]> => {
      const response = await api(own, 'GET', `/v2/sandboxes?${query}`);
      const ids = (await json<Listed[]>(response)).map(({ sandboxID }) => sandboxID);
      return [ids, response.headers.get('x-total-running')];
    };
    const both = [running.sandboxID, paused.sandboxID];
    expect(await found('')).toEqual([both, '1']);
    expect(await found('state=running,paused')).toEqual([both, '1']);
    expect(await found('state=running&state=paused&order=asc')).toEqual([both.toReversed(), '1']);
    expect(await found('state=paused')).toEqual([[paused.sandboxID], null]);
    expect(await found('template=other')).toEqual([[running.sandboxID], '1']);
    expect(await found('template=base')).toEqual([[paused.sandboxID], '0']);
    expect(await found('template=nothing')).toEqual([[], '0']);
    expect((await found(`startedAfter=${startedAt}`))[0]).toEqual([running.sandboxID]);
    expect(await json(await api(own, 'GET', '/sandboxes'))).toMatchObject([{ sandboxID: running.sandboxID }]);
    expect((await api(own, 'GET', '/v2/sandboxes?template=other:v1')).status).toBe(400);
  });

  test('refuses what makes no sense', async () => {
    for (const query of [
      'limit=0',
      'limit=101',
      'limit=x',
      'nextToken=x',
      'order=up',
      'startedAfter=x',
      'state=dead',
    ]) {
      expect((await api(server, 'GET', `/v2/sandboxes?${query}`)).status).toBe(400);
    }
  });
});

describe('bad input', () => {
  const fields = fc.dictionary(
    fc.constantFrom(
      ...[
        'templateID',
        'timeout',
        'metadata',
        'envVars',
        'network',
        'autoPause',
        'autoResume',
        'iam',
        'name',
      ],
      ...[
        'count',
        'memory',
        'duration',
        'allowOut',
        'denyOut',
        'rules',
        'allow_internet_access',
        '__proto__',
      ],
    ),
    fc.oneof(fc.constantFrom<unknown>('base', 0, -1, 1e99, null, true, [], {}), fc.jsonValue()),
  );
  const body = fc.oneof(
    fields.map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string(),
  );
  const endpoint = fc.constantFrom(
    ...[
      'POST /sandboxes',
      'POST /v2/sandboxes',
      'POST /sandboxes/ID/timeout',
      'POST /sandboxes/ID/refreshes',
    ],
    ...['POST /sandboxes/ID/connect', 'POST /v2/sandboxes/ID/connect', 'POST /sandboxes/ID/resume'],
    ...['PUT /sandboxes/ID/network', 'POST /sandboxes/ID/fork', 'POST /sandboxes/ID/snapshots'],
  );
  const query = fc.dictionary(
    fc.constantFrom(
      'metadata',
      'state',
      'order',
      'limit',
      'nextToken',
      'startedAfter',
      'template',
      'start',
      'name',
    ),
    fc.oneof(fc.string(), fc.constantFrom('%', '%zz', '%25', '-1', '1e3', 'W10=')),
  );

  test('is answered with what is wrong, whatever it is', async () => {
    const own = await startServer({ isolation: 'none' });
    let { sandboxID } = await createSandbox(own);
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(endpoint, body, async (line, text) => {
        // A timeout of 0 ends it, and a pause may be what was asked for.
        const { status } = await api(own, 'POST', `/v2/sandboxes/${sandboxID}/connect`, {});
        if (status === 404) ({ sandboxID } = await createSandbox(own));
        const [method = '', path = ''] = line.replace('ID', sandboxID).split(' ');
        const headers = { 'x-api-key': own.apiKey };
        const response = await fetch(own.apiUrl + path, { method, headers, body: text });
        const answer = await response.text();
        seen.add(response.status);
        if (response.status === 204) return;
        expect([200, 201, 400, 404, 409, 501]).toContain(response.status);
        const json = JSON.parse(answer) as { code?: number; message?: string; sandboxID?: string };
        if (response.status >= 400) {
          expect(json).toEqual({ code: response.status, message: expect.any(String) });
          expect(json.message).not.toMatch(/undefined|\[object|TypeError/);
        }
      }),
      { numRuns: 300 },
    );
    for (const status of [200, 201, 204, 400]) expect(seen).toContain(status);
  });

  test('in a query, too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('/sandboxes', '/v2/sandboxes', '/snapshots', '/v2/templates', '/sandboxes/metrics'),
        query,
        async (path, asked) => {
          const response = await api(server, 'GET', `${path}?${new URLSearchParams(asked)}`);
          expect([200, 400]).toContain(response.status);
          await response.json();
        },
      ),
      { numRuns: 200 },
    );
  });
});
