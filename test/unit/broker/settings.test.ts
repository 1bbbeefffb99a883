import { decodeJwt } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { BrokerOptions } from '../../../src/broker/broker-options.js';
import { createCredentialSource, readSettings } from '../../../src/broker/settings.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { everything, origin, secret, startHarness } from './support/harness.js';

type Options = BrokerOptions<undefined>;
const good: Options = {
  apiKey: 'e2b_1',
  signingKeys: { current: secret },
  origins: [origin],
  authorize: () => ({ subject: 'a', sandbox: { template: 'base' }, grants: everything }),
};

/** What an option is wrong for, or undefined. */
function refused(more: Record<string, unknown>): string | undefined {
  try {
    readSettings({ ...good, ...more } as Options);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ name: 'InvalidArgumentError', code: 'invalid_option' });
    return /`(\w+)`/.exec(String(error))?.[1];
  }
}
const credentials = (more: Record<string, unknown> = {}) => {
  const options = { ...good, ...more } as Options;
  return createCredentialSource(options)({}, readSettings(options), {});
};

afterEach(() => vi.restoreAllMocks());

describe('options of a broker', () => {
  test.each<Record<string, unknown>>([
    { basePath: '' },
    { basePath: '/a' },
    { basePath: '/api/v1.2/sand_box-~' },
    { publicUrl: 'https://api.example' },
    { publicUrl: 'http://api.example:8443/edge' },
    { tokenTtlMs: 1000 },
    { tokenTtlMs: 900_000 },
    { sessionLifeMs: 1000 },
    { issuer: 'x' },
    { logger: undefined, fetch: undefined, issuer: undefined },
  ])('can be %j', (options) => {
    expect(refused(options)).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>]>([
    ['authorize', { authorize: undefined }],
    ['authorize', { authorize: {} }],
    ['apiKey', { apiKey: undefined }],
    ['signingKeys', { signingKeys: undefined }],
    ['origins', { origins: undefined }],
    ['logger', { logger: {} }],
    ['logger', { logger: null }],
    ['fetch', { fetch: 'x' }],
    ['issuer', { issuer: '' }],
    ['issuer', { issuer: 7 }],
    ['basePath', { basePath: 'x/a' }],
    ['basePath', { basePath: '/' }],
    ['basePath', { basePath: '/a/' }],
    ['basePath', { basePath: '/a//b' }],
    ['basePath', { basePath: '/a b' }],
    ['publicUrl', { publicUrl: 'x https://api.example' }],
    ['publicUrl', { publicUrl: '//api.example' }],
    ['publicUrl', { publicUrl: 'https://api.example/' }],
    ['publicUrl', { publicUrl: 'https://api.example/x?y' }],
    ['publicUrl', { publicUrl: 'https://api.example/x#y' }],
    ['publicUrl', { publicUrl: 'https://' }],
    ['tokenTtlMs', { tokenTtlMs: 900_001 }],
    ['tokenTtlMs', { tokenTtlMs: 999 }],
    ['sessionLifeMs', { sessionLifeMs: 999 }],
  ])('name %s when it is %j', (name, options) => {
    expect(refused(options)).toBe(name);
  });

  test('have what is right for most where they are not given', async () => {
    const settings = readSettings(good);
    expect(settings).toMatchObject({ basePath: '', publicBase: '', publicPath: '' });
    const { tokens, domain, sandboxUrl, previews, store, origins } = await credentials();
    expect(tokens).toMatchObject({
      issuer: 'e2b-edge',
      audience: '/',
      ttlMs: 300_000,
      sessionLifeMs: 28_800_000,
    });
    expect({ domain, sandboxUrl, previews, store }).toEqual({
      domain: undefined,
      sandboxUrl: undefined,
      previews: undefined,
      store: undefined,
    });
    expect(origins).toEqual([origin]);
  });

  test('say where the broker is, for whom its tokens are, and how long they last', async () => {
    const options = { basePath: '/api', publicUrl: 'https://api.example/edge', issuer: 'me' };
    expect(readSettings({ ...good, ...options })).toMatchObject({
      basePath: '/api',
      publicBase: 'https://api.example/edge',
      publicPath: '/edge',
    });
    expect(readSettings({ ...good, publicUrl: 'https://api.example' }).publicPath).toBe('');
    const { tokens } = await credentials({ ...options, tokenTtlMs: 60_000, sessionLifeMs: 120_000 });
    expect(tokens).toMatchObject({
      issuer: 'me',
      audience: 'https://api.example/edge',
      ttlMs: 60_000,
      sessionLifeMs: 120_000,
    });
    const harness = await startHarness({ issuer: 'me', tokenTtlMs: 60_000 });
    const { token } = await harness.mint();
    const { iss, aud, iat = 0, exp } = decodeJwt(token);
    expect({ iss, aud, exp }).toEqual({ iss: 'me', aud: '/api/sandbox', exp: iat + 60 });
    await harness.close();
  });

  test('have the runtime’s own fetch, as it is when it is called, and as a function', async () => {
    const own = vi.spyOn(globalThis, 'fetch').mockImplementation(async function (this: unknown) {
      return new Response(this === undefined || this === globalThis ? 'right' : 'a method');
    });
    const settings = readSettings(good);
    expect(await (await settings.fetch('https://host/', { method: 'POST' })).text()).toBe('right');
    expect(own).toHaveBeenCalledExactlyOnceWith('https://host/', { method: 'POST' });
    const other = vi.fn();
    expect(readSettings({ ...good, fetch: other }).fetch).toBe(other);
  });
});

describe('what is made of the environment', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['apiKey', { apiKey: () => '' }, /empty/],
    ['apiKey', { apiKey: () => undefined }, /empty/],
    ['apiKey', { apiKey: 'e2b 1' }, /characters/],
    ['apiKey', { apiKey: ' e2b' }, /characters/],
    ['apiKey', { apiKey: 'e2b\n' }, /characters/],
    ['origins', { origins: ['app.example'] }, /app\.example/],
    ['origins', { origins: [origin, 'https://app.example/x'] }, /app\.example\/x/],
    ['store', { store: {} }, /get/],
    ['store', { store: null }, /get/],
    ['store', { store: { set: () => undefined } }, /get/],
    ['store', { store: { get: () => undefined } }, /get/],
    ['domain', { domain: 'https://x' }, /e2b\.app/],
    ['apiUrl', { apiUrl: 'api.example' }, /http/],
    ['sandboxUrl', { sandboxUrl: 'https://a@host' }, /http/],
  ])('names %s when it is %j', async (name, wrong, why) => {
    await expect(credentials(wrong)).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringMatching(why),
    });
    await expect(credentials(wrong)).rejects.toThrow(`\`${name}\``);
  });

  test('an empty text is a variable that is not set', async () => {
    const { domain, sandboxUrl } = await credentials({ domain: '', apiUrl: '', sandboxUrl: () => '' });
    expect({ domain, sandboxUrl }).toEqual({ domain: undefined, sandboxUrl: undefined });
    const store = createMemoryStore();
    const set = await credentials({
      domain: () => 'cluster.example:8443',
      sandboxUrl: 'http://localhost:3000//',
      store: () => store,
      previews: { origin: 'http://{port}-{sandboxId}.localhost' },
    });
    expect(set).toMatchObject({ domain: 'cluster.example:8443', sandboxUrl: 'http://localhost:3000', store });
    expect(set.previews?.of('i1', 3000)).toBe('http://3000-i1.localhost');
  });

  test.each<[Record<string, unknown>, string]>([
    [{}, 'https://api.e2b.app/sandboxes/i1'],
    [{ domain: '', apiUrl: '' }, 'https://api.e2b.app/sandboxes/i1'],
    [{ domain: 'cluster.example' }, 'https://api.cluster.example/sandboxes/i1'],
    [
      { domain: 'cluster.example', apiUrl: 'https://api.example/e2b/' },
      'https://api.example/e2b/sandboxes/i1',
    ],
  ])('with %j the control plane is asked at %s, with the key and the trace', async (options, expected) => {
    const asked: Request[] = [];
    const settings = { ...good, ...options } as Options;
    settings.fetch = async (url, init) => {
      asked.push(new Request(url, init));
      return Response.json({ sandboxID: 'i1', templateID: 'x', envdVersion: '1' });
    };
    const { control } = await createCredentialSource(settings)({}, readSettings(settings), {
      traceparent: 't',
    });
    await control.info('i1').catch(() => undefined);
    expect(asked[0]?.url).toBe(expected);
    expect(asked[0]?.headers.get('x-api-key')).toBe('e2b_1');
    expect(asked[0]?.headers.get('traceparent')).toBe('t');
  });
});
