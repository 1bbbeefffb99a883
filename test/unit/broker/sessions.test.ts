import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AuthenticationError, PermissionDeniedError, RateLimitError } from '../../../src/errors.js';
import { parseSession } from '../../../src/wire/session.js';
import { envdToken, json } from './support/fake-e2b.js';
import { everything, type Harness, origin, startHarness } from './support/harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(async () => {
  vi.useRealTimers();
  await harness.close();
});

describe('a mint', () => {
  test('creates a sandbox of the template, marked as the subject’s, and gives a session of it', async () => {
    harness.authorization = {
      subject: 'ann',
      sandbox: {
        template: 'node',
        timeoutMs: 90_500,
        envs: { A: '1' },
        metadata: { project: 'x' },
        onTimeout: 'pause',
      },
      grants: { pty: 'write' },
    };
    const session = parseSession(await harness.mint());
    expect(JSON.parse(harness.fake.control[0]?.body.toString() ?? '')).toEqual({
      templateID: 'node',
      timeout: 91,
      metadata: {
        project: 'x',
        e2bEdgeSubject: 'ann',
        e2bEdgeIssuer: 'e2b-edge',
        e2bEdgeTemplate: 'node',
        'e2b-edge-create': expect.any(String),
      },
      envVars: { A: '1' },
      autoPause: true,
    });
    expect(harness.fake.control[0]?.headers['x-api-key']).toBe(harness.fake.apiKey);
    expect(session).toMatchObject({
      sandboxId: 'i1',
      envdVersion: '0.6.13',
      urls: {
        envd: '/api/sandbox/envd/i1',
        pty: '/api/sandbox/pty/i1',
        refresh: '/api/sandbox/sessions/refresh',
        session: `/api/sandbox/sessions/${session.sessionId}`,
        sign: '/api/sandbox/files/sign',
      },
      grant: { files: [], commands: 'none', pty: 'write', lifecycle: [] },
    });
    expect(session.ttlMs).toBeGreaterThan(298_000);
    expect(session.expiresAt).toBeGreaterThan(Date.now());
  });

  test('that the page leaves has what it made killed, for which the host is asked to wait', async () => {
    const page = new AbortController();
    const works: Promise<unknown>[] = [];
    const { fake } = harness;
    fake.onControl = ({ method, body, query }, response) => {
      if (method === 'POST') {
        const { metadata } = JSON.parse(body.toString()) as { metadata: Record<string, string> };
        fake.sandboxes.set('i9', { metadata });
        page.abort();
      }
      if (method !== 'GET') return method === 'POST';
      const mark = fake.sandboxes.get('i9')?.metadata['e2b-edge-create'] as string;
      expect(query.get('metadata')).toContain(mark);
      json(response, 200, [{ sandboxID: 'i9' }]);
      return true;
    };
    const headers = { 'content-type': 'application/json', origin };
    const response = await harness.send(
      '/sessions',
      { method: 'POST', headers, body: '{}', signal: page.signal },
      { ctx: { waitUntil: (work) => void works.push(work) } },
    );
    expect(response.status).toBe(502);
    expect(works).toHaveLength(1);
    await Promise.all(works);
    expect([...fake.sandboxes]).toEqual([]);
  });

  test('puts exactly what is needed into the token, and neither key nor envd’s token', async () => {
    const session = await harness.mint();
    const claims = decodeJwt(session.token);
    expect(decodeProtectedHeader(session.token)).toEqual({
      alg: 'HS256',
      typ: 'e2b-session+jwt',
      kid: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(Object.keys(claims).sort()).toEqual(
      ['aud', 'auth_time', 'exp', 'g', 'iat', 'iss', 'jti', 'keep', 'sbx', 'sid', 'sub'].sort(),
    );
    expect(claims).toMatchObject({ iss: 'e2b-edge', aud: '/api/sandbox', sub: 'ann', sbx: 'i1', keep: 300 });
    const all = JSON.stringify([session, claims]);
    expect(all).not.toContain(envdToken);
    expect(all).not.toContain(harness.fake.apiKey);
  });

  test('grants no more than is asked for', async () => {
    const session = await harness.mint({ grant: { pty: 'read', files: [{ op: 'read', prefix: '/srv/a' }] } });
    expect(session.grant).toEqual({
      files: [{ op: 'read', prefix: '/srv/a' }],
      commands: 'none',
      pty: 'read',
      ports: [],
      lifecycle: [],
    });
  });

  test('goes on with the subject’s own sandbox, and with no other', async () => {
    const { sandboxId } = await harness.mint();
    expect((await harness.mint({ sandboxId })).sandboxId).toBe(sandboxId);
    expect(harness.fake.sandboxes.size).toBe(1);
    harness.authorization = { subject: 'eve', sandbox: { template: 'base' }, grants: everything };
    const foreign = await harness.mint({ sandboxId }).catch((error: unknown) => error);
    const absent = await harness.mint({ sandboxId: 'i999' }).catch((error: unknown) => error);
    expect(foreign).toMatchObject({ code: 'sandbox_not_found', response: { status: 404 } });
    expect((absent as Error).message).toBe((foreign as Error).message);
    expect(harness.fake.control.filter(({ path }) => path.endsWith('/connect'))).toHaveLength(1);
  });

  test('by id needs no mark, and is for that id alone', async () => {
    harness.fake.sandboxes.set('shared', { metadata: {} });
    harness.authorization = { subject: 'bob', sandbox: { id: 'shared' }, grants: everything };
    expect((await harness.mint()).sandboxId).toBe('shared');
    await expect(harness.mint({ sandboxId: 'i5' })).rejects.toMatchObject({ code: 'sandbox_not_found' });
  });

  test.each([
    ['no JSON type', { headers: { origin, 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
    ['no JSON', { body: '{' }, 400, 'invalid_argument'],
    ['a list', { body: '[]' }, 400, 'invalid_argument'],
    ['an id that is a host', { body: '{"sandboxId":"a.evil.example/"}' }, 400, 'invalid_argument'],
    ['an unknown grant', { body: '{"grant":{"root":true}}' }, 400, 'invalid_grant'],
    ['too much', { body: `{"a":"${'x'.repeat(70_000)}"}` }, 413, 'body_too_large'],
  ])('refuses %s', async (_name, init, status, code) => {
    await expect(harness.mint({}, init)).rejects.toMatchObject({ code, response: { status } });
    expect(harness.fake.control).toEqual([]);
  });

  test('is refused when the application says no, and fails without a word when it fails', async () => {
    harness.authorization = null;
    await expect(harness.mint()).rejects.toMatchObject({
      code: 'session_refused',
      response: { status: 403 },
    });
    const broken = await startHarness({
      authorize: () => {
        throw new Error('database password is hunter2');
      },
    });
    const failure = (await broken.mint().catch((error: unknown) => error)) as {
      response: Response;
      message: string;
    };
    expect(failure).toMatchObject({ code: 'broker_misconfigured', response: { status: 500 } });
    expect(failure.message).not.toContain('hunter2');
    expect(String(broken.events[0]?.cause)).toContain('hunter2');
    await broken.close();
  });

  test('cannot be had where the application answers nonsense, of which the log alone says what', async () => {
    harness.authorization = { subject: 7, sandbox: { template: 'base' }, grants: {} } as never;
    const failure = await harness.mint().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'broker_misconfigured', response: { status: 500 } });
    expect((failure as Error).message).not.toContain('authorize');
    expect(String(harness.events.at(-1)?.cause)).toMatch(/`authorize`.*subject is 7/);
    expect(harness.fake.control).toEqual([]);
  });

  test('is of no sandbox whose id cannot be one', async () => {
    harness.fake.onControl = (_, response) => {
      json(response, 201, { sandboxID: 'i1.evil.example/', envdVersion: '0.6.13' });
      return true;
    };
    await expect(harness.mint()).rejects.toMatchObject({ code: 'upstream_unavailable' });
  });

  test.each([
    [new AuthenticationError('Sign in first.', { code: 'signed_out' }), 401, 'signed_out'],
    [new PermissionDeniedError('Your plan has no sandboxes.'), 403, 'permission_denied'],
    [new RateLimitError('Too many today.', { retryAfterMs: 5_000 }), 429, 'rate_limited'],
  ])('tells a page what the application wants it to know: %s', async (error, status, code) => {
    const saying = await startHarness({ authorize: () => Promise.reject(error) });
    const failure = (await saying.mint().catch((thrown: unknown) => thrown)) as { response: Response };
    expect(failure).toMatchObject({ code, message: error.message, response: { status } });
    expect(failure.response.headers.get('retry-after')).toBe(status === 429 ? '5' : null);
    await saying.close();
  });

  test('refuses exact commands together with writing where they run', async () => {
    for (const prefix of ['/', '/home/user/project', '/root', '/usr/local/bin', '/proc', '/var']) {
      const grants = { commands: ['npm test'], files: [{ op: 'write' as const, prefix }] };
      await expect(harness.session(grants)).rejects.toMatchObject({ code: 'broker_misconfigured' });
    }
    await harness.session({ commands: ['npm test'], files: [{ op: 'write', prefix: '/srv/data' }] });
  });

  test('says nothing of what the control plane said, and in the log that the key was refused', async () => {
    harness.fake.onControl = (_, response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ code: 401, message: `bad key ${harness.fake.apiKey}` }));
      return true;
    };
    const failure = await harness.mint().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'broker_misconfigured', response: { status: 500 } });
    expect((failure as Error).message).not.toContain('key');
    const logged = harness.events.at(-1);
    expect(logged).toMatchObject({ action: 'mint', outcome: 'failed', code: 'broker_misconfigured' });
    expect(String(logged?.cause)).toContain('refused the API key (HTTP 401)');
    expect(String(logged?.cause)).not.toContain(harness.fake.apiKey);
  });
});
