import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bearer, origin } from './support/harness.js';
import { led, openPreview, own, type Preview, places } from './support/preview.js';

/** What would hold for more than the preview. */
const tooMuch = {
  'accept-ch': 'dpr',
  'activate-storage-access': 'load',
  'alt-svc': 'h2="evil.example"',
  'cdn-cache-control': 'public',
  'clear-site-data': '"*"',
  'cloudflare-cdn-cache-control': 'public',
  'critical-ch': 'dpr',
  'e2b-traffic-access-token': 'secret',
  'expect-ct': 'max-age=1',
  nel: '{}',
  'origin-agent-cluster': '?0',
  'proxy-authenticate': 'Basic',
  'proxy-connection': 'close',
  'public-key-pins': 'x',
  'report-to': '{}',
  'reporting-endpoints': 'a="https://evil.example"',
  'set-login': 'logged-in',
  'strict-transport-security': 'max-age=1',
  'surrogate-control': 'max-age=1',
  trailer: 'expires',
  upgrade: 'h2c',
  'use-as-dictionary': 'match="/*"',
  'x-frame-options': 'DENY',
};

describe.each(places)('an answer of an app %s', (_place, options) => {
  let preview: Preview;
  beforeEach(async () => {
    preview = await openPreview(options);
  });
  afterEach(() => preview.harness.close());

  test('is as it came', async () => {
    preview.answer(
      418,
      { 'content-type': 'text/x', 'x-own': ['1', '2'], 'x-at': '/path', etag: '"1"', 'content-length': '3' },
      'tea',
    );
    const response = await preview.ask('/');
    expect([response.status, response.statusText, await response.text()]).toEqual([
      418,
      "I'm a Teapot",
      'tea',
    ]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/x',
      'x-own': '1, 2',
      'x-at': '/path',
      etag: '"1"',
      'content-length': '3',
    });
    expect(preview.harness.events.at(-2)).toMatchObject({ outcome: 'allowed', status: 418 });
  });

  test('has nothing that would hold for more than this preview', async () => {
    const headers = await preview.answered({ ...tooMuch, connection: 'close', 'keep-alive': 'timeout=5' });
    for (const name of [...Object.keys(tooMuch), 'connection', 'keep-alive', 'transfer-encoding']) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  test('has what is for one origin only where it has one', async () => {
    const headers = await preview.answered({
      'cross-origin-resource-policy': 'same-origin',
      'service-worker-allowed': '/',
      'www-authenticate': 'Basic',
    });
    for (const name of ['cross-origin-resource-policy', 'service-worker-allowed', 'www-authenticate']) {
      expect(headers[name] === undefined).toBe(preview.isBelowPath);
    }
  });

  test('is framed by the application alone, and has no origin where it has none of its own', async () => {
    const ours = preview.isBelowPath
      ? `sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads allow-same-site-none-cookies; frame-ancestors 'self' ${origin}`
      : `frame-ancestors 'self' ${origin}`;
    const policy = async (given: string | string[]) =>
      (await preview.answered({ 'content-security-policy': given }))['content-security-policy'];
    expect((await preview.answered({}))['content-security-policy']).toBe(ours);
    expect(await policy("default-src 'none'")).toBe(`${ours}, default-src 'none'`);
    expect(await policy("default-src 'none'; frame-ancestors *; img-src x")).toBe(
      `${ours}, default-src 'none'; img-src x`,
    );
    expect(await policy('FRAME-ANCESTORS https://evil.example')).toBe(`${ours}, `.trim());
    expect(await policy("default-src 'none',script-src 'self'")).toBe(
      `${ours}, default-src 'none',script-src 'self'`,
    );
    expect(await policy("frame-ancestors *; ,script-src 'self'")).toBe(`${ours}, script-src 'self'`);
    expect(await policy(["frame-ancestors 'none'", "script-src 'self'"])).toBe(`${ours}, script-src 'self'`);
    expect(await policy("frame-ancestors *,script-src 'self'; x-frame-ancestors y")).toBe(
      `${ours}, script-src 'self'; x-frame-ancestors y`,
    );
  });

  test.each([
    [undefined, 'private'],
    ['public, max-age=60', 'private, max-age=60'],
    ['no-store', 'private, no-store'],
    ['Private,s-maxage=5,proxy-revalidate, immutable', 'private, immutable'],
    ['x-public, max-age=1,,', 'private, x-public, max-age=1'],
  ])('whose caching is %s is kept by the browser alone: %s', async (given, expected) => {
    const headers = await preview.answered(given === undefined ? {} : { 'cache-control': given });
    expect(headers['cache-control']).toBe(expected);
  });

  test('sets cookies for itself alone, and none for who came with a token', async () => {
    const cookies = ['a=1; Path=/x; Domain=example', 'nothing', '__Host-e2b-preview=evil'];
    const set = (await preview.answered({ 'set-cookie': cookies }))['set-cookie'];
    const { pathname } = new URL(preview.url);
    expect(set).toEqual(
      preview.isBelowPath
        ? [`e2b-preview.a=1; Path=${pathname}x; Secure; SameSite=None`]
        : ['a=1; Path=/x; Secure; SameSite=None; Partitioned'],
    );
    const response = await preview.harness.send(preview.url, { headers: bearer(preview.session) });
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  test('leads to the preview where it leads to the app, by whatever name', async () => {
    const { port, host } = new URL(preview.harness.fake.url);
    const to = async (location: string) => {
      preview.answer(302, { location });
      return (await preview.ask('/', led)).headers.get('location');
    };
    const root = preview.isBelowPath ? new URL(preview.url).pathname : preview.url;
    for (const name of [host, 'localhost:3000', '127.0.0.1:3000', '0.0.0.0:3000', '[::1]:3000']) {
      expect(await to(`http://${name}/x/y?z#w`)).toBe(`${root}x/y?z#w`);
    }
    expect(await to('https://localhost:3000/')).toBe(root);
    expect(await to('/login')).toBe(`${root}login`);
    expect(await to(' \\login')).toBe(`${root}login`);
    expect(await to(`//${host}/x`)).toBe(`${root}x`);
    for (const elsewhere of [
      'sub/page',
      '?x',
      '../up',
      'https://elsewhere.example/',
      `http://localhost:3001/`,
      `http://localhost/`,
      `http://evil.example:${port}/`,
      'ftp://localhost:3000/',
      'xhttp://localhost:3000/',
      '//evil.example/x',
      'http://[',
    ]) {
      expect(await to(elsewhere)).toBe(elsewhere);
    }
    expect((await preview.ask('/', led)).status).toBe(302);
  });

  test('is read by the pages that the broker allows where it was asked with a token', async () => {
    const cors = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'x-secret' };
    const withCookie = await preview.answered(cors);
    expect(withCookie).toMatchObject(cors);
    preview.answer(200, { ...cors, 'x-own': '1' });
    const headers = { ...bearer(preview.session), origin };
    const withToken = await preview.harness.send(preview.url, { headers });
    expect(withToken.headers.get('access-control-allow-origin')).toBe(origin);
    expect(withToken.headers.get('x-own')).toBe('1');
    expect(withToken.headers.get('access-control-expose-headers')).not.toContain('x-secret');
    expect(withToken.headers.get('access-control-allow-credentials')).toBeNull();
    const program = await preview.harness.send(preview.url, { headers: bearer(preview.session) });
    expect(program.headers.get('access-control-allow-origin')).toBeNull();
    expect(program.headers.get('vary')).toBe('Origin');
  });

  test('is readable for its own page', async () => {
    const given = { 'access-control-allow-origin': 'https://other.example' };
    const headers = await preview.answered(given, { ...own, origin: preview.ownOrigin });
    expect(headers['access-control-allow-origin']).toBe(
      preview.isBelowPath ? 'null' : 'https://other.example',
    );
    expect(headers['access-control-allow-credentials']).toBe(preview.isBelowPath ? 'true' : undefined);
    const plain = await preview.answered({}, own);
    expect(plain['access-control-allow-origin']).toBeUndefined();
    expect(plain['access-control-allow-credentials']).toBeUndefined();
  });

  test('that was packed is given unpacked, without the length that it had', async () => {
    const { gzipSync } = await import('node:zlib');
    const packed = gzipSync('a page');
    preview.harness.fake.onEnvd = (_seen, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
      return true;
    };
    const response = await preview.ask('/');
    expect(await response.text()).toBe('a page');
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(response.headers.get('content-length')).toBeNull();
  });
});

describe.each(places)('a page of the application that asks %s', (_place, options) => {
  test('may use whatever methods and headers the app takes', async () => {
    const preview = await openPreview(options);
    const asking = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-a,x-b' };
    const ask = (headers: Record<string, string>, method = 'OPTIONS') =>
      preview.harness.send(`${preview.url}x`, { method, headers });
    const allowed = await ask({ origin, ...asking });
    expect(allowed.status).toBe(204);
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers': 'x-a,x-b',
      'access-control-max-age': '7200',
    });
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
    const bare = await ask({ origin, 'access-control-request-method': 'PUT' });
    expect(bare.headers.get('access-control-allow-headers')).toBe('');
    // Anything else is a request like all: it needs the cookie or the token.
    expect((await ask({ ...asking })).status).toBe(401);
    expect((await ask({ origin })).status).toBe(401);
    expect((await ask({ origin, ...asking }, 'POST')).status).toBe(401);
    expect((await ask({ origin: 'https://evil.example', ...asking })).status).toBe(401);
    expect(preview.harness.fake.envd).toEqual([]);
    await preview.harness.close();
  });
});

test('all pages of the application may show a preview', async () => {
  const preview = await openPreview({ origins: [origin, 'https://second.example'] });
  expect((await preview.answered({}))['content-security-policy']).toMatch(
    /; frame-ancestors 'self' https:\/\/app\.example https:\/\/second\.example$/,
  );
  await preview.harness.close();
});
