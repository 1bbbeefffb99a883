import { afterEach, describe, expect, test, vi } from 'vitest';
import { createClient, E2B } from '../../../src/control/client.js';
import type { SandboxNetworkTransformContext } from '../../../src/control/network-options.js';
import { Sandbox } from '../../../src/control/sandbox.js';
import { RateLimitError, SandboxError, TemplateError } from '../../../src/errors.js';

afterEach(() => void vi.unstubAllEnvs());

interface Seen {
  method: string;
  url: string;
  headers: Headers;
  body: unknown;
}

/** A control plane that answers with what it is given, one after the other. */
function answering(...answers: [status: number, body: unknown][]) {
  const seen: Seen[] = [];
  const fetch = async (url: string, { method = 'GET', headers, body }: RequestInit): Promise<Response> => {
    seen.push({
      method,
      url: url.replace('https://api.e2b.app', ''),
      headers: new Headers(headers),
      body: body === undefined ? undefined : JSON.parse(String(body)),
    });
    const [status, answer] = answers.shift() ?? [204, undefined];
    return new Response(answer === undefined ? null : JSON.stringify(answer), { status });
  };
  return { key: { apiKey: 'e2b_00', fetch }, seen };
}

const record = (envdVersion = '0.6.13') => ({ sandboxID: 'i1', templateID: 't1', envdVersion });

describe('create', () => {
  test('sends what was asked for, in the control plane’s own words', async () => {
    const { key, seen } = answering([201, record()]);
    await Sandbox.create('mine', {
      ...key,
      timeoutMs: 60_001,
      envs: { A: 'b' },
      allowInternetAccess: false,
      lifecycle: { onTimeout: { action: 'pause', keepMemory: false }, autoResume: false },
      iam: { tokens: { aws: { audience: 'sts', tokenType: 'JWT-SVID' } } },
      network: {
        allowOut: ['1.1.1.1'],
        rules: {
          'a.example': [{ transform: ({ iam }) => ({ headers: { a: `Bearer ${iam.tokens.aws}` } }) }, {}],
        },
        egressProxy: { address: 'p:1', username: 'u' },
        httpsPorts: [8443],
      },
      volumeMounts: { '/a': 'one', '/b': { name: 'two' } },
      secure: false,
    });
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/v2/sandboxes' });
    const { metadata, ...body } = (seen[0]?.body ?? {}) as Record<string, Record<string, string>>;
    expect(body).toEqual({
      templateID: 'mine',
      timeout: 61,
      envVars: { A: 'b' },
      allow_internet_access: false,
      autoPause: true,
      autoPauseMemory: false,
      autoResume: { enabled: false },
      iam: { tokens: { aws: { audience: 'sts', tokenType: 'JWT-SVID' } } },
      network: {
        allowOut: ['1.1.1.1'],
        rules: {
          'a.example': [{ transform: { headers: { a: `Bearer \${e2b.identity.tokens.aws}` } } }, {}],
        },
        egressProxy: { address: 'p:1', username: 'u' },
        httpsPorts: [8443],
      },
      volumeMounts: [
        { name: 'one', path: '/a' },
        { name: 'two', path: '/b' },
      ],
    });
    expect(seen[0]?.headers.get('idempotency-key')).toBe(metadata?.['e2b-edge-create']);
    expect(seen[0]?.headers.get('x-api-key')).toBe('e2b_00');
  });

  test('takes the template that a subclass names, and makes an object of it', async () => {
    class Own extends Sandbox {
      protected static override readonly defaultTemplate: string = 'own';
    }
    const { key, seen } = answering([201, record()], [200, record()]);
    const sandbox: Own = await Own.create({ ...key, idempotencyKey: false });
    expect(seen[0]?.body).toEqual({ templateID: 'own' });
    expect(sandbox).toBeInstanceOf(Own);
    expect(await Own.connect('i1', key)).toBeInstanceOf(Own);
  });

  test('kills a sandbox whose envd is too old to be used', async () => {
    const { key, seen } = answering([201, record('0.0.9')], [204, undefined]);
    await expect(Sandbox.create(key)).rejects.toMatchObject({ code: 'envd_too_old' });
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v2/sandboxes',
      'DELETE /sandboxes/i1',
    ]);
  });

  test('leaves a sandbox alone that others may have by the same key', async () => {
    const { key, seen } = answering([200, []], [201, record('0.0.9')], [200, {}]);
    await expect(Sandbox.create({ ...key, idempotencyKey: 'job-1' })).rejects.toMatchObject({
      code: 'envd_too_old',
    });
    expect(seen.map(({ method }) => method)).not.toContain('DELETE');
  });

  test.each([
    [[null], 'the options are null'],
    [[['base']], 'the options are an array'],
    [[5], 'template is 5'],
    [[''], 'template is ""'],
    [['base', null], 'the options are null'],
    [['base', 'python'], 'the options are "python"'],
    [[undefined, { template: null }], 'template is null'],
    [[{ apiKey: 'e2b_00', retries: -1 }], 'retries is -1'],
  ])('refuses the arguments %j by name', async (given, message) => {
    const create = Sandbox.create as (...given: unknown[]) => Promise<Sandbox>;
    const failure = create.apply(Sandbox, given);
    await expect(failure).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(failure).rejects.toThrow(`Sandbox.create: ${message}`);
  });

  test('refuses a token that is not registered, in a rule', async () => {
    const { key, seen } = answering();
    const transform = ({ iam }: SandboxNetworkTransformContext) => ({
      headers: { a: String(iam.tokens.aws) },
    });
    const network = { rules: { 'a.example': [{ transform }] } };
    await expect(Sandbox.create({ ...key, network })).rejects.toThrow(/a\.example: there is no token "aws"/);
    expect(seen).toEqual([]);
  });
});

describe('the calls after it', () => {
  test('connect says how to resume, and for how long', async () => {
    const { key, seen } = answering([200, record()], [201, record()]);
    await Sandbox.connect('i1', key);
    await Sandbox.connect('i1', { ...key, timeoutMs: 5_000, onResume: 'reboot' });
    expect(seen.map(({ url, body }) => [url, body])).toEqual([
      ['/v2/sandboxes/i1/connect', {}],
      ['/v2/sandboxes/i1/connect', { timeout: 5, memory: false }],
    ]);
  });

  test('fork gives what there is, and of the rest why not', async () => {
    const failures = [
      { error: { code: 429, message: 'too many' } },
      { error: { code: 500, message: 'broken' } },
      {},
    ];
    const { key, seen } = answering([201, [{ sandbox: record() }, ...failures]]);
    const [first, second, third, fourth] = await Sandbox.fork('i0', { ...key, count: 4 });
    expect(first).toBeInstanceOf(Sandbox);
    expect(second).toBeInstanceOf(RateLimitError);
    expect(third).toMatchObject({ name: 'SandboxError', message: '500: broken', statusCode: 500 });
    expect(fourth).toBeInstanceOf(SandboxError);
    expect(seen[0]?.body).toEqual({ timeout: 300, count: 4 });
  });

  test('a list that is asked twice at the same time gives two pages', async () => {
    const { key, seen } = answering();
    const fetch: typeof key.fetch = async (url, init) => {
      await key.fetch(url, init);
      return new Response('[]', { headers: seen.length === 1 ? { 'x-next-token': 'two' } : {} });
    };
    const pages = Sandbox.list({ ...key, fetch });
    const asked = [pages.nextItems(), pages.nextItems(), pages.nextItems()];
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(seen.map(({ url }) => url)).toEqual(['/v2/sandboxes', '/v2/sandboxes?nextToken=two']);
  });

  test('an update of the network names any token', async () => {
    const { key, seen } = answering();
    await Sandbox.updateNetwork(
      'i1',
      { rules: { 'a.example': [{ transform: ({ iam }) => ({ headers: { a: String(iam.tokens.gcp) } }) }] } },
      key,
    );
    expect(seen[0]).toMatchObject({
      method: 'PUT',
      body: { rules: { 'a.example': [{ transform: { headers: { a: `\${e2b.identity.tokens.gcp}` } } }] } },
    });
  });

  test('metrics need an envd that makes them, and are said to be without disks', async () => {
    const warn = vi.fn();
    const { key } = answering([200, record('0.1.4')], [200, record('0.2.3')], [200, []]);
    const old = await Sandbox.connect('i1', key);
    await expect(old.getMetrics()).rejects.toBeInstanceOf(TemplateError);
    const newer = await Sandbox.connect('i1', { ...key, logger: { warn } });
    expect(await newer.getMetrics()).toEqual([]);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('0.2.4'));
  });

  test('metrics are asked for in seconds', async () => {
    const { key, seen } = answering([200, []]);
    await Sandbox.getMetrics('i1', { ...key, start: new Date(1_499), end: new Date(2_500) });
    expect(seen[0]?.url).toBe('/sandboxes/i1/metrics?start=1&end=3');
  });
});

describe('options that are bound', () => {
  test('hold for each call that does not say otherwise, and for the sandboxes', async () => {
    const { key, seen } = answering(
      [201, record()],
      [200, { ...record(), metadata: null }],
      [204, undefined],
    );
    const { Sandbox: Bound } = createClient({ ...key, apiHeaders: { 'x-team': 'a' } });
    const sandbox = await Bound.create({ apiHeaders: undefined as never });
    await Bound.getInfo('i1', { apiHeaders: { 'x-team': 'b' } });
    await sandbox.kill();
    expect(seen.map(({ headers }) => headers.get('x-team'))).toEqual(['a', 'b', 'a']);
  });

  test('are kept apart, and out of the class that is bound by nobody', async () => {
    vi.stubEnv('E2B_API_KEY', '');
    const one = answering([204, undefined]);
    const two = answering([204, undefined]);
    const [first, second] = [new E2B(one.key), new E2B({ ...two.key, apiKey: 'e2b_01' })];
    await Promise.all([first.Sandbox.kill('i1'), second.Sandbox.kill('i1')]);
    expect(one.seen[0]?.headers.get('x-api-key')).toBe('e2b_00');
    expect(two.seen[0]?.headers.get('x-api-key')).toBe('e2b_01');
    await expect(Sandbox.kill('i1')).rejects.toMatchObject({ code: 'api_key_missing' });
  });

  test('are checked when they are bound, and have no signal', async () => {
    expect(() => createClient({ retries: 99 })).toThrow(/retries/);
    const { key } = answering([204, undefined]);
    const signal = AbortSignal.abort();
    expect(await new E2B({ ...key, signal }).Sandbox.kill('i1')).toBe(true);
  });

  test('make pools whose sandboxes have them', async () => {
    const times = { startedAt: '2026-01-01T00:00:00Z', endAt: '2099-01-01T00:00:00Z' };
    const { key, seen } = answering([201, record()], [200, { ...record(), ...times }]);
    const pool = createClient(key).createSandboxPool({ min: 0, check: () => true });
    const lease = await pool.acquire();
    expect(lease.sandbox.sandboxId).toBe('i1');
    await lease.release();
    await pool.drain();
    expect(new Set(seen.map(({ headers }) => headers.get('x-api-key')))).toEqual(new Set(['e2b_00']));
  });
});

test('the debug mode is asked for by an environment variable too', async () => {
  vi.stubEnv('E2B_DEBUG', 'TRUE');
  const { key, seen } = answering();
  const sandbox = await Sandbox.create(key);
  expect(sandbox.sandboxId).toBe('debug_sandbox_id');
  expect(await sandbox.kill()).toBe(true);
  expect(seen).toEqual([]);
});
