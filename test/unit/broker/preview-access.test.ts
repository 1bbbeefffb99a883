import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { bearer, everything, origin, refusal } from './support/harness.js';
import { enter, led, openPreview, own, type Preview, places } from './support/preview.js';

const refused = (status: number, code: string) => ({ status, code });
const unauthenticated = refused(401, 'unauthenticated');
const foreign = refused(403, 'origin_not_allowed');

describe.each(places)('a preview %s', (_place, options) => {
  let preview: Preview;
  beforeEach(async () => {
    preview = await openPreview({ ...options, store: createMemoryStore() });
  });
  afterEach(() => preview.harness.close());

  test('is open to whom was let in, and the app never sees what let them', async () => {
    const response = await preview.ask('/x?y=1');
    expect(response.status).toBe(200);
    expect(preview.seen()).toMatchObject({ path: '/x', headers: { 'e2b-sandbox-port': '3000' } });
    expect(JSON.stringify(preview.seen().headers)).not.toContain(preview.cookie.split('=')[1]);
    expect(preview.harness.events.at(-1)).toMatchObject({
      action: 'preview',
      outcome: 'allowed',
      status: 200,
      port: 3000,
      subject: 'ann',
      sandboxId: preview.session.sandboxId,
      sessionId: preview.session.sessionId,
    });
    expect(response.headers.get('x-request-id')).toBe(preview.harness.events.at(-1)?.requestId);
  });

  test('is closed to who was not', async () => {
    preview.harness.fake.envd.length = 0;
    const { url, session } = preview;
    const other = await preview.harness.session({ ports: [3000] }, 'bob');
    const cookieOf = (token: string) => `${preview.cookie.split('=')[0]}=${token}`;
    const bobs = (await enter(preview.harness, other)).headers.get('set-cookie')?.split(';')[0] ?? '';
    for (const headers of [
      {},
      { cookie: `x=1` },
      { cookie: bobs },
      { cookie: cookieOf(session.token) },
      { cookie: cookieOf('') },
      // Whoever has a cookie is judged by that, a good token or not.
      { cookie: cookieOf('x'), ...bearer(session) },
      bearer(other),
      { authorization: `Basic ${session.token}` },
      { authorization: `x Bearer ${session.token}` },
      { authorization: `Bearer ${session.token} x` },
      { authorization: `Bearer${session.token}` },
    ] as Record<string, string>[]) {
      expect(await refusal(await preview.harness.send(url, { headers: { ...own, ...headers } }))).toEqual(
        unauthenticated,
      );
    }
    expect(preview.harness.fake.envd).toEqual([]);
    expect(preview.harness.events.at(-1)).toMatchObject({
      action: 'preview',
      outcome: 'refused',
      status: 401,
    });
  });

  test('is of its own port alone, whatever else the session may', async () => {
    const elsewhere = preview.url.replace('3000', '3001');
    const headers = { ...own, cookie: preview.cookie };
    const denied = refused(403, 'permission_denied');
    expect(await refusal(await preview.harness.send(elsewhere, { headers }))).toEqual(denied);
    const third = preview.url.replace('3000', '3002');
    expect(await refusal(await preview.harness.send(third, { headers: bearer(preview.session) }))).toEqual(
      denied,
    );
    expect((await preview.harness.send(elsewhere, { headers: bearer(preview.session) })).status).toBe(200);
  });

  test('is open to a session’s own token, from the application’s pages and from programs', async () => {
    const { url, session } = preview;
    expect((await preview.harness.send(url, { headers: bearer(session) })).status).toBe(200);
    const lower = { authorization: `bearer ${session.token}`, origin };
    const response = await preview.harness.send(url, { headers: lower });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    for (const bad of ['https://evil.example', preview.ownOrigin]) {
      const answer = await preview.harness.send(url, { headers: { ...bearer(session), origin: bad } });
      expect(await refusal(answer)).toEqual(foreign);
    }
  });

  test('ends with its session, also where that is revoked', async () => {
    const { sessionId, sandboxId } = preview.session;
    await preview.harness.revoke({ sessionId });
    const ended = refused(401, 'session_revoked');
    expect(await refusal(await preview.ask('/'))).toEqual(ended);
    expect(
      await refusal(await preview.harness.send(preview.url, { headers: bearer(preview.session) })),
    ).toEqual(ended);
    expect(preview.harness.events.at(-1)).toMatchObject({ sessionId, sandboxId, subject: 'ann' });
  });

  test('has a limit of its own for what is open at once', async () => {
    const few = await openPreview({ ...options, limits: { previews: 1 } });
    few.harness.fake.onEnvd = (_seen, response) => {
      response.writeHead(200).write('x');
      return true;
    };
    const open = await few.ask('/');
    expect(await refusal(await few.ask('/'))).toEqual(refused(429, 'too_many_previews'));
    await open.body?.cancel();
    const again = await few.ask('/');
    expect(again.status).toBe(200);
    await again.body?.cancel();
    await few.harness.close();
  });

  test('lets its own pages and the application’s do what they like', async () => {
    for (const headers of [
      own,
      { ...own, origin: preview.ownOrigin },
      { 'sec-fetch-site': 'cross-site', origin },
      { 'sec-fetch-site': 'cross-site', origin: preview.ownOrigin },
    ]) {
      expect((await preview.ask('/', headers)).status).toBe(200);
      expect((await preview.ask('/', headers, { method: 'POST', body: 'x' })).status).toBe(200);
    }
  });
});

describe('other sites', () => {
  const [[, belowPath], [, ownOrigins]] = places as [(typeof places)[0], (typeof places)[0]];
  const image = {
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'no-cors',
    'sec-fetch-dest': 'image',
  };
  const evil = 'https://evil.example';
  const get = (headers: Record<string, string>) => ['GET', headers] as const;
  const post = (headers: Record<string, string>) => ['POST', headers] as const;
  let preview: Preview;
  afterEach(() => preview.harness.close());

  test('use no cookie of a preview that has an origin of its own', async () => {
    preview = await openPreview(ownOrigins);
    for (const [method, headers] of [
      get(image),
      get({ ...image, 'sec-fetch-site': 'same-site' }),
      get({ ...image, 'sec-fetch-mode': 'navigate' }),
      get({ ...led, 'sec-fetch-dest': 'object' }),
      get({ ...led, 'sec-fetch-dest': 'iframes' }),
      get({ ...led, 'sec-fetch-dest': 'xframe' }),
      get({ ...led, 'sec-fetch-mode': 'cors' }),
      get({ ...own, upgrade: 'websocket' }),
      get({ ...led, upgrade: 'websocket' }),
      get({ origin: evil }),
      get({ origin: 'null' }),
      post({}),
      post(led),
      post({ ...led, origin: evil }),
      post({ ...led, origin: 'null' }),
      post({ ...image, 'sec-fetch-site': 'same-site' }),
    ]) {
      const response = await preview.ask('/', headers, { method });
      expect([method, headers, response.status]).toEqual([method, headers, 403]);
    }
    expect(await refusal(await preview.ask('/', image))).toEqual(foreign);
    expect(preview.harness.fake.envd).toEqual([]);
  });

  test('lead people to such a preview, which shows it and no more', async () => {
    preview = await openPreview(ownOrigins);
    for (const [method, headers] of [
      get(led),
      get({ ...led, 'sec-fetch-dest': 'document' }),
      get({ ...led, 'sec-fetch-dest': 'frame' }),
      get({ ...led, 'sec-fetch-site': 'same-site' }),
      get({ 'sec-fetch-site': 'none' }),
      get({}),
      ['HEAD', {}] as const,
      ['HEAD', led] as const,
      post({ 'sec-fetch-site': 'same-origin' }),
      get({ origin: preview.ownOrigin, upgrade: 'websocket' }),
    ]) {
      const response = await preview.ask('/', headers, { method });
      expect([method, headers, response.status]).toEqual([method, headers, 200]);
    }
  });

  test("cannot name the path of a preview below the broker's", async () => {
    preview = await openPreview(belowPath);
    const { url, cookie } = preview;
    expect(await refusal(await preview.ask('/', { origin: evil }))).toEqual(foreign);
    expect(await refusal(await preview.ask('/', { upgrade: 'websocket' }))).toEqual(foreign);
    const unnamed = url.replace(/~[0-9a-f-]+\//, '');
    const guessed = url.replace(/~[0-9a-f-]{4}/, '~0000');
    for (const wrong of [unnamed, guessed]) {
      expect(await refusal(await preview.harness.send(wrong, { headers: { ...own, cookie } }))).toEqual(
        unauthenticated,
      );
    }
    expect(preview.harness.fake.envd).toEqual([]);
    // All that a page without an origin says of itself is that it is none's.
    for (const [method, headers] of [get(image), post(image), get({}), post({})]) {
      expect((await preview.ask('/', headers, { method })).status).toBe(200);
    }
  });

  test("get no service worker below the broker's path, where it would be everybody's", async () => {
    preview = await openPreview(belowPath);
    const script = { ...own, 'service-worker': 'script' };
    expect(await refusal(await preview.ask('/sw.js', script))).toEqual(
      refused(403, 'service_worker_refused'),
    );
    expect(preview.harness.fake.envd).toEqual([]);
    await preview.harness.close();
    preview = await openPreview(ownOrigins);
    expect((await preview.ask('/sw.js', script)).status).toBe(200);
  });

  test('cannot enter one', async () => {
    preview = await openPreview(ownOrigins);
    const { session } = preview;
    preview.harness.events.length = 0;
    expect(await refusal(await enter(preview.harness, session, { origin }))).toEqual(unauthenticated);
    expect(
      await refusal(await enter(preview.harness, session, { ...bearer(session), origin: evil })),
    ).toEqual(foreign);
    expect(await refusal(await enter(preview.harness, session, undefined, 3002))).toEqual(
      refused(403, 'permission_denied'),
    );
    const none = await preview.harness.session(everything);
    expect(none.urls.preview).toBeUndefined();
    expect(preview.harness.events).toMatchObject([
      { action: 'preview', outcome: 'refused', status: 401 },
      { action: 'preview', outcome: 'refused', status: 403 },
      { action: 'preview', outcome: 'refused', status: 403, port: 3002 },
      { action: 'mint' },
    ]);
  });
});
