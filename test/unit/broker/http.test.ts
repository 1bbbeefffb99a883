import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BrokerOptions, createBroker } from '../../../src/broker.js';
import { json } from './support/fake-e2b.js';
import {
  bearer,
  everything,
  type Harness,
  origin,
  refusal,
  secret,
  startHarness,
} from './support/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});

beforeEach(() => {
  harness.fake.onEnvd = undefined;
  harness.fake.envd.length = 0;
  harness.events.length = 0;
});

afterAll(() => harness.close());

describe('origins', () => {
  test.each([
    ['an address that is too long', `/sessions?${'x'.repeat(20_000)}`, {}, 414],
    ['headers that are too large', '/sessions', { 'x-large': 'x'.repeat(20_000) }, 431],
    ['a preview that cannot be', '/ports/i1/49983/', {}, 404],
  ])('a page of ours reads why it was refused: %s', async (_name, path, headers, status) => {
    const response = await harness.send(path, { headers: { origin, ...headers } });
    expect(response.status).toBe(status);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    const foreign = await harness.send(path, { headers: { ...headers, origin: 'https://evil.example' } });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'null',
    'https://app.example:8443',
  ])('%s is refused before anything else happens', async (foreign) => {
    const { length } = harness.fake.control;
    const session = await harness.send('/sessions', {
      method: 'POST',
      headers: { origin: foreign, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(session.headers.get('access-control-allow-origin')).toBeNull();
    expect(await refusal(session)).toEqual({ status: 403, code: 'origin_not_allowed' });
    const preflight = await harness.send('/sessions', {
      method: 'OPTIONS',
      headers: { origin: foreign, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(403);
    expect(harness.fake.control.length).toBe(length);
  });

  test('that are listed may read the answer and its headers, errors included', async () => {
    const session = await harness.mint();
    for (const [path, status] of [
      [`/envd/${session.sandboxId}/health`, 204],
      ['/nowhere', 404],
    ] as const) {
      const response = await harness.send(path, { headers: { ...bearer(session), origin } });
      expect(response.status).toBe(status);
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
      expect(response.headers.get('access-control-expose-headers')).toContain('content-range');
      expect(response.headers.get('vary')).toBe('Origin');
    }
  });

  test('cookies go with the session routes alone', async () => {
    const response = await harness.send('/sessions', {
      method: 'POST',
      headers: { origin, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
    const other = await harness.send('/sessionsx', { headers: { origin } });
    expect(other.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('that are none are not from a page of another site', async () => {
    const session = await harness.mint({}, { headers: { 'content-type': 'application/json' } });
    const response = await harness.send(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('vary')).toBe('Origin');
  });
});

describe('a preflight', () => {
  const ask = (path: string, headers: string) =>
    harness.send(path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': headers },
    });

  test('allows what may be sent to a sandbox, and nothing else', async () => {
    const asked =
      'Authorization, content-type, connect-protocol-version,x-access-token,x-metadata-a, e2b-sandbox-id,traceparent,tracestate';
    const response = await ask('/envd/i1/process.Process/Start', asked);
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toBe(
      'authorization, content-type, connect-protocol-version, x-metadata-a, traceparent, tracestate',
    );
    expect(response.headers.get('access-control-allow-methods')).toBe('POST');
    expect(response.headers.get('access-control-max-age')).toBe('7200');
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
  });

  test('lets an application have its own headers at its sessions', async () => {
    const response = await ask('/sessions', 'content-type,x-app-user');
    expect(response.headers.get('access-control-allow-headers')).toBe('content-type, x-app-user');
  });
});

describe('routes', () => {
  test.each([
    ['GET', '/', 404, 'route_not_found'],
    ['GET', '/sessions', 405, 'method_not_allowed'],
    ['POST', '/sessions/', 404, 'route_not_found'],
    ['PUT', '/sessions/refresh', 405, 'method_not_allowed'],
    ['GET', '/sessions/a/b', 404, 'route_not_found'],
    ['GET', '/envd/UPPER/health', 404, 'route_not_found'],
    ['GET', '/envd/a.evil.example/health', 404, 'route_not_found'],
    ['GET', `/envd/${'a'.repeat(65)}/health`, 404, 'route_not_found'],
    ['GET', '/envd/i1%2f..%2fi2/health', 404, 'route_not_found'],
    ['DELETE', '/envd/i1/files', 405, 'method_not_allowed'],
    ['POST', '/envd/i1/files/compose', 404, 'route_not_found'],
    ['POST', '/envd/i1/init', 404, 'route_not_found'],
    ['GET', '/envd/i1/envs', 404, 'route_not_found'],
    ['GET', '/envd/i1/metrics', 404, 'route_not_found'],
    ['POST', '/envd/i1/freeze', 404, 'route_not_found'],
    ['POST', '/envd/i1/fsfreeze', 404, 'route_not_found'],
    ['POST', '/envd/i1/collapse', 404, 'route_not_found'],
    ['POST', '/envd/i1/upgrade', 404, 'route_not_found'],
    ['POST', '/envd/i1//init', 404, 'route_not_found'],
    ['GET', '/envd/i1/process.Process/List', 405, 'method_not_allowed'],
    ['POST', '/envd/i1/process.Process/List/', 404, 'route_not_found'],
    ['GET', '/pty/i1', 426, 'upgrade_required'],
  ])('%s %s is %i %s', async (method, path, status, code) => {
    const session = await harness.mint();
    harness.fake.envd.length = 0;
    const response = await harness.send(path.replace('/i1', `/${session.sandboxId}`), {
      method,
      headers: bearer(session),
    });
    expect(await refusal(response)).toEqual({ status, code });
    expect(harness.fake.envd).toEqual([]);
  });

  test('outside of the base path are none', async () => {
    for (const path of ['/sessions', '/api/sandboxes/sessions', '/api/sandbox']) {
      const response = await harness.send(`https://any.test${path}`, { method: 'POST' });
      expect(response.status).toBe(404);
    }
  });
});

describe('an answer', () => {
  test('names its request, is not kept, and is not guessed at', async () => {
    const response = await harness.send('/nowhere');
    const body = (await response.json()) as { requestId: string };
    expect(response.headers.get('x-request-id')).toBe(body.requestId);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('the log', () => {
  test('has one event for each request, and no secret', async () => {
    const session = await harness.mint();
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await harness.send(`/envd/${session.sandboxId}/health?secret=1`, {
      headers: { ...bearer(session), traceparent: trace, tracestate: 'vendor=1' },
    });
    await harness.send(`/envd/${session.sandboxId}/health`);
    harness.fake.onEnvd = (_, response) => {
      json(response, 500, { code: 500, message: 'goroutine 7 panicked' });
      return true;
    };
    await harness.send(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
    expect(harness.events).toMatchObject([
      { action: 'mint', outcome: 'allowed', status: 201, subject: 'ann', sandboxId: session.sandboxId },
      { action: 'health', outcome: 'allowed', status: 204, sessionId: session.sessionId, traceparent: trace },
      { action: 'health', outcome: 'refused', status: 401, code: 'unauthenticated' },
      { action: 'health', outcome: 'failed', status: 502, code: 'upstream_unavailable' },
    ]);
    expect(harness.fake.envd[0]?.headers).toMatchObject({ traceparent: trace, tracestate: 'vendor=1' });
    await harness.mint({}, { headers: { 'content-type': 'application/json', traceparent: trace } });
    expect(harness.fake.control.at(-1)?.headers).toMatchObject({ traceparent: trace });
    expect(harness.fake.envd[1]?.headers).not.toHaveProperty('tracestate');
    const all = JSON.stringify(harness.events);
    for (const word of [session.token, 'envd-secret-token', harness.fake.apiKey, 'secret=1']) {
      expect(all).not.toContain(word);
    }
  });
});

describe('a log that fails', () => {
  test('changes nothing of what was decided', async () => {
    const broken = await startHarness({
      logger: () => {
        throw new Error('disk full');
      },
    });
    const session = await broken.mint();
    const health = `/envd/${session.sandboxId}/health`;
    expect((await broken.send(health, { headers: bearer(session) })).status).toBe(204);
    expect((await broken.send(health)).status).toBe(401);
    await broken.close();
  });
});

describe('options', () => {
  const good = {
    apiKey: 'e2b_1',
    signingKeys: { current: secret },
    origins: [origin],
    authorize: () => ({ subject: 'a', sandbox: { template: 'base' }, grants: everything }),
  };

  test.each<[string, Partial<BrokerOptions<undefined>>]>([
    ['basePath', { basePath: 'api' }],
    ['basePath', { basePath: '/api/' }],
    ['publicUrl', { publicUrl: 'api.example' }],
    ['publicUrl', { publicUrl: 'https://api.example/' }],
    ['tokenTtlMs', { tokenTtlMs: 3_600_000 }],
    ['sessionLifeMs', { sessionLifeMs: Number.NaN }],
    ['authorize', { authorize: undefined as never }],
    ['sessionLifeMs', { sessionLifeMs: '28800000' as never }],
    ['sessionLifeMs', { sessionLifeMs: Number.POSITIVE_INFINITY }],
    ['tokenTtlMs', { tokenTtlMs: '300000' as never }],
    ['issuer', { issuer: '' }],
    ['logger', { logger: console as never }],
    ['fetch', { fetch: {} as never }],
    ['apiKey', { apiKey: '' }],
  ])('name %s when it is wrong', (name, wrong) => {
    expect(() => createBroker({ ...good, ...wrong })).toThrow(`\`${name}\``);
  });

  test.each(['*', 'https://app.example/', 'app.example'])('take no origin like %s', async (wrong) => {
    const broker = await startHarness({ origins: [wrong] });
    await expect(broker.mint()).rejects.toMatchObject({ code: 'broker_misconfigured' });
    expect(String(broker.events[0]?.cause)).toContain('origins');
    await broker.close();
  });

  test.each<[string, Partial<BrokerOptions<undefined>>]>([
    ['store', { store: null as never }],
    ['store', { store: { get: () => undefined } as never }],
    ['domain', { domain: 'https://e2b.app' }],
    ['apiUrl', { apiUrl: 'api.e2b.app' }],
    ['apiUrl', { apiUrl: 'https://api.e2b.app/?x' }],
    ['sandboxUrl', { sandboxUrl: 'http://ann:word@localhost' }],
  ])('name %s in the log when what was made of the environment is wrong', async (name, wrong) => {
    const broker = await startHarness(wrong);
    await expect(broker.mint()).rejects.toMatchObject({ code: 'broker_misconfigured' });
    expect(String(broker.events[0]?.cause)).toContain(`\`${name}\``);
    expect(broker.fake.control).toEqual([]);
    await broker.close();
  });

  test('that are functions are asked with the environment, at each request', async () => {
    interface Env {
      key: string;
    }
    const asked: string[] = [];
    const broker = createBroker<Env>({
      ...good,
      apiKey: ({ key }) => {
        asked.push(key);
        return key;
      },
      apiUrl: harness.fake.url,
      authorize: () => null,
    });
    for (const key of ['e2b_a', 'e2b_b']) {
      await broker(new Request('https://any.test/sessions', { method: 'POST' }), { env: { key } });
    }
    expect(asked).toEqual(['e2b_a', 'e2b_b']);
  });

  test('a public address is that of all addresses of a session', async () => {
    const broker = await startHarness({ publicUrl: 'https://api.example/edge' });
    const { urls, sandboxId } = await broker.mint();
    expect(urls.envd).toBe(`https://api.example/edge/envd/${sandboxId}`);
    expect(urls.pty).toBe(`https://api.example/edge/pty/${sandboxId}`);
    await broker.close();
  });
});
