import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bearer, origin } from './support/harness.js';
import { led, openPreview, own, type Preview, places } from './support/preview.js';

/** What was between the broker and the browser, or is between them alone. */
const ofTheWay = {
  'accept-encoding': 'br',
  'cdn-loop': 'cloudflare',
  'content-length': '0',
  expect: '100-continue',
  forwarded: 'for=1.2.3.4',
  host: 'evil.example',
  'http2-settings': 'AAMAAABk',
  'keep-alive': 'timeout=5',
  te: 'trailers',
  trailer: 'expires',
  'transfer-encoding': 'chunked',
  'true-client-ip': '1.2.3.4',
  via: '1.1 proxy',
  'x-client-ip': '1.2.3.4',
  'x-real-ip': '1.2.3.4',
  'x-forwarded-for': '1.2.3.4',
  'x-forwarded-host': 'evil.example',
  'cf-connecting-ip': '1.2.3.4',
  'proxy-authorization': 'Basic YTpi',
  'sec-websocket-version': '13',
  'e2b-traffic-access-token': 'mine',
  connection: 'X-Hop , x-hop2',
  'x-hop': '1',
  'x-hop2': '2',
};

describe.each(places)('what an app %s gets', (_place, options) => {
  let preview: Preview;
  beforeEach(async () => {
    preview = await openPreview(options);
  });
  afterEach(() => preview.harness.close());

  test('is what the browser sent, unchanged', async () => {
    preview.harness.fake.envd.length = 0;
    const headers = {
      ...own,
      'x-own': '1',
      'x-via': 'a',
      'my-x-forwarded-for': 'b',
      accept: 'text/html',
      'user-agent': 'a browser',
      'if-none-match': '"1"',
      'content-type': 'text/plain; charset=utf-8',
    };
    await preview.ask('/a%2f..%2fb//c?x=%20y&x', headers, { method: 'PATCH', body: 'a body' });
    expect(preview.harness.fake.envd).toHaveLength(1);
    const { method, path, query, body, headers: seen } = preview.seen();
    expect({ method, path, query: [...query], body: String(body) }).toEqual({
      method: 'PATCH',
      path: '/a%2f..%2fb//c',
      query: [
        ['x', ' y'],
        ['x', ''],
      ],
      body: 'a body',
    });
    expect(seen).toMatchObject(headers);
  });

  test('is nothing of the way between', async () => {
    await preview.ask('/', { ...own, ...ofTheWay, 'e2b-sandbox-id': 'i999', 'e2b-sandbox-port': '22' });
    expect(preview.sent()).toEqual({
      ...own,
      'accept-encoding': 'identity',
      'e2b-sandbox-id': preview.session.sandboxId,
      'e2b-sandbox-port': '3000',
    });
  });

  test('says that it is the app’s own page that asks, at its own address', async () => {
    const { origin: inside } = new URL(preview.harness.fake.url);
    await preview.ask('/', { ...own, 'sec-fetch-site': 'cross-site', origin: preview.ownOrigin });
    expect(preview.sent()).toMatchObject({ origin: inside, 'sec-fetch-site': 'same-origin' });
    await preview.ask('/', { ...led, origin }, { method: 'POST' });
    expect(preview.sent()).toMatchObject({ origin: inside, 'sec-fetch-site': 'same-origin' });
    // That somebody was led there is no secret, and an app may want to know.
    await preview.ask('/', led);
    expect(preview.sent()).toMatchObject(led);
    await preview.ask('/', {});
    for (const name of ['origin', 'sec-fetch-site', 'referer', 'cookie', 'authorization']) {
      expect(preview.sent()).not.toHaveProperty(name);
    }
  });

  test('has the address of the page that led there if that is its own', async () => {
    const { origin: inside } = new URL(preview.harness.fake.url);
    await preview.ask('/', { ...own, referer: `${preview.url}a/b?c` });
    expect(preview.sent().referer).toBe(preview.isBelowPath ? undefined : `${inside}/a/b?c`);
    for (const referer of ['https://app.example/secret', `https://evil.example/?${preview.url}`]) {
      await preview.ask('/', { ...own, referer });
      expect(preview.sent()).not.toHaveProperty('referer');
    }
  });

  test('has its own cookies, and its own tokens where nobody else’s password could be among them', async () => {
    const { cookie, isBelowPath } = preview;
    await preview.ask('/', {
      ...own,
      cookie: `${cookie}; a=1; e2b-preview.b=2`,
      authorization: 'Basic YTpi',
    });
    expect(preview.sent().cookie).toBe(isBelowPath ? 'b=2' : 'a=1; e2b-preview.b=2');
    expect(preview.sent().authorization).toBe(isBelowPath ? undefined : 'Basic YTpi');
    for (const authorization of [
      'Bearer abc',
      'Bearer a.b.c',
      `Bearer ${btoa('{"typ":"x-e2b-"}').replaceAll('=', '')}.e30.x`,
      `Bearer ${btoa('{"alg":"none"}').replaceAll('=', '')}.e30.x`,
    ]) {
      await preview.ask('/', { ...own, authorization });
      expect(preview.sent().authorization).toBe(isBelowPath ? undefined : authorization);
    }
  });

  test('is never a token of the broker’s, good or not', async () => {
    const { cookie, session, url } = preview;
    const foreign = `${btoa('{"typ":"e2b-invitation+jwt","alg":"none"}').replaceAll('=', '')}.e30.x`;
    for (const token of [session.token, cookie.split('=')[1], foreign]) {
      await preview.ask('/', { ...own, authorization: `Bearer ${token}` });
      expect(preview.sent()).not.toHaveProperty('authorization');
    }
    await preview.harness.send(url, { headers: { ...bearer(session), cookie: 'a=1; e2b-preview.b=2' } });
    expect(preview.sent()).not.toHaveProperty('authorization');
  });
});

describe('a sandbox behind its own host name', () => {
  test('is asked there, and by its own name', async () => {
    const asked: { url: string; headers: Headers; redirect: unknown }[] = [];
    const preview = await openPreview({
      sandboxUrl: undefined,
      domain: 'cluster.example',
      fetch: (url, init) => {
        const headers = new Headers(init?.headers);
        if (!headers.has('e2b-sandbox-port')) return fetch(url, init);
        asked.push({ url: String(url), headers, redirect: init?.redirect });
        return Promise.resolve(new Response('app'));
      },
      ...places[1]?.[1],
    });
    const referer = `${preview.url}a`;
    await preview.ask('//evil.example/x?y#z', { ...own, origin: preview.ownOrigin, referer });
    const base = `https://3000-${preview.session.sandboxId}.cluster.example`;
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ url: `${base}//evil.example/x?y`, redirect: 'manual' });
    expect(asked[0]?.headers.get('origin')).toBe(base);
    expect(asked[0]?.headers.get('referer')).toBe(`${base}/a`);
    await preview.harness.close();
  });
});
