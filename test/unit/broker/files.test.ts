import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Filesystem } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import { json } from './support/fake-e2b.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;

beforeAll(async () => {
  harness = await startHarness();
  session = await harness.session({ ...everything, user: 'user' });
});

beforeEach(() => {
  harness.fake.envd.length = 0;
  harness.fake.links.clear();
  harness.fake.missing.clear();
  harness.fake.onEnvd = undefined;
});

afterAll(() => harness.close());

const denied = { status: 403, code: 'permission_denied' };
const files = () => harness.fake.envd.filter(({ path }) => path === '/files');
const get = (query: string, of = session, headers = {}) =>
  harness.send(`/envd/${of.sandboxId}/files${query}`, { headers: { ...bearer(of), ...headers } });
const post = (query: string, of = session, headers: Record<string, string> = {}) =>
  harness.send(`/envd/${of.sandboxId}/files${query}`, {
    method: 'POST',
    headers: { ...bearer(of), 'content-type': 'application/octet-stream', ...headers },
    body: 'content',
  });
const confined = (
  grant: Grant = {
    files: [
      { op: 'read', prefix: '/srv/a' },
      { op: 'write', prefix: '/srv/a' },
    ],
  },
) => harness.session(grant);

describe('a file', () => {
  test('is asked for with one plain path and the pinned user, and nothing else of the page’s', async () => {
    const query = '?path=/a/../b%20c&username=root&signature=v1_x&signature_expiration=1';
    const response = await get(query, session, {
      range: 'bytes=0-1',
      'if-none-match': '"x"',
      cookie: 'a=b',
      'x-other': '1',
    });
    expect(response.status).toBe(200);
    const [seen] = files();
    expect([...(seen?.query ?? [])]).toEqual([
      ['path', '/b c'],
      ['username', 'user'],
    ]);
    expect(seen?.headers).toMatchObject({
      range: 'bytes=0-1',
      'if-none-match': '"x"',
      // Node's fetch adds it once more where there is a range.
      'accept-encoding': expect.stringMatching(/^identity(, identity)?$/),
    });
    expect(seen?.headers.cookie).toBeUndefined();
    expect(seen?.headers['x-other']).toBeUndefined();
  });

  test('comes without what a browser would take it for', async () => {
    const response = await get('?path=/x.html');
    expect(await response.text()).toBe('<script>content</script>');
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('x-internal')).toBeNull();
  });

  test('is sent as it comes, with its metadata', async () => {
    const response = await post('?path=x.txt', session, {
      'x-metadata-colour': 'red',
      'x-access-token': 'mine',
    });
    expect(response.status).toBe(200);
    const [seen] = files();
    expect(seen?.body.toString()).toBe('content');
    expect(seen?.query.get('path')).toBe('/home/user/x.txt');
    expect(seen?.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-metadata-colour': 'red',
    });
    expect(seen?.headers['x-access-token']).not.toBe('mine');
  });

  test.each([
    '',
    '?path=',
    '?path=/a&path=/b',
    '?path=/a%00b',
    '?path=/a%5Cb',
    '?path=~root/x',
    '?username=root',
  ])('is not had by the query %j', async (query) => {
    expect(await refusal(await get(query))).toEqual({ status: 400, code: 'invalid_argument' });
    expect(await refusal(await post(query))).toEqual({ status: 400, code: 'invalid_argument' });
    expect(files()).toEqual([]);
  });

  test.each([
    ['a form of another kind', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['something compressed', { 'content-encoding': 'gzip' }],
    ['no kind', { 'content-type': '' }],
  ])('is not sent as %s', async (_name, headers) => {
    expect(await refusal(await post('?path=/x', session, headers))).toEqual({
      status: 415,
      code: 'unsupported_media_type',
    });
    expect(files()).toEqual([]);
  });

  test.each([
    [404, { code: 404, message: "path '/x' does not exist" }, 'file_not_found', "path '/x' does not exist"],
    [400, { code: 400, message: "path '/x' is a directory" }, 'invalid_argument', "path '/x' is a directory"],
    [
      507,
      { code: 507, message: 'not enough disk space available' },
      'not_enough_space',
      'not enough disk space available',
    ],
  ])('that envd refuses with %i says why', async (status, body, code, message) => {
    harness.fake.onEnvd = (_, response) => {
      json(response, status, body);
      return true;
    };
    const response = await get('?path=/x');
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, message });
  });
});

describe('a prefix', () => {
  test.each([
    '/srv/b',
    '/srv',
    '/srv/ab',
    '/srv/a/../b',
    '/srv/a/%2e%2e/b',
    '/',
    '/srv/a/../../etc/passwd',
    '~',
    'x',
    '//etc',
  ])('does not let %s through', async (path) => {
    const limited = await confined();
    expect(await refusal(await get(`?path=${path}`, limited))).toEqual(denied);
    expect(await refusal(await post(`?path=${path}`, limited))).toEqual(denied);
    expect(files()).toEqual([]);
  });

  test('lets through what is below it', async () => {
    const limited = await confined();
    for (const path of ['/srv/a', '/srv/a/b', '/srv/a/./b', '/srv/b/../a/c', '/srv/a/%252e%252e']) {
      expect((await get(`?path=${path}`, limited)).status).toBe(200);
    }
    expect(files().map(({ query }) => query.get('path'))).toEqual([
      '/srv/a',
      '/srv/a/b',
      '/srv/a/b',
      '/srv/a/c',
      '/srv/a/%2e%2e',
    ]);
  });

  test('keeps reading and writing apart', async () => {
    const reader = await confined({ files: [{ op: 'read', prefix: '/srv/a' }] });
    expect((await get('?path=/srv/a/x', reader)).status).toBe(200);
    expect(await refusal(await post('?path=/srv/a/x', reader))).toEqual(denied);
    for (const method of [Filesystem.method.remove, Filesystem.method.makeDir]) {
      expect(await refusal(await harness.rpc(reader, method, { path: '/srv/a/x' }))).toEqual(denied);
    }
    const writer = await confined({ files: [{ op: 'write', prefix: '/srv/a' }] });
    for (const method of [Filesystem.method.stat, Filesystem.method.listDir, Filesystem.method.watchDir]) {
      expect((await refusal(await harness.rpc(writer, method, { path: '/srv/a/x' }))).code).toBe(denied.code);
    }
    // Moving from where one may not read to where one may would be reading.
    const both = await confined({
      files: [
        { op: 'write', prefix: '/srv/in' },
        { op: 'read', prefix: '/srv/out' },
        { op: 'write', prefix: '/srv/out' },
      ],
    });
    const move = { source: '/srv/in/x', destination: '/srv/out/x' };
    expect(await refusal(await harness.rpc(both, Filesystem.method.move, move))).toEqual(denied);
  });

  test.each([
    ['Stat', Filesystem.method.stat],
    ['ListDir', Filesystem.method.listDir],
    ['MakeDir', Filesystem.method.makeDir],
    ['Remove', Filesystem.method.remove],
    ['WatchDir', Filesystem.method.watchDir],
  ] as const)('holds for %s', async (name, method) => {
    const limited = await confined();
    // A stream says so in its end.
    expect((await refusal(await harness.rpc(limited, method, { path: '/srv/a/../b' }))).code).toBe(
      denied.code,
    );
    harness.fake.envd.length = 0;
    expect((await harness.rpc(limited, method, { path: '/srv//a/b/' })).status).toBe(200);
    expect(harness.fake.calls(`filesystem.Filesystem/${name}`).at(-1)).toMatchObject({ path: '/srv/a/b' });
  });

  test('holds at both ends of a move', async () => {
    const limited = await confined();
    for (const [source, destination] of [
      ['/etc/passwd', '/srv/a/x'],
      ['/srv/a/x', '/etc/passwd'],
    ]) {
      expect(
        await refusal(await harness.rpc(limited, Filesystem.method.move, { source, destination })),
      ).toEqual(denied);
    }
    expect(harness.fake.calls('filesystem.Filesystem/Move')).toEqual([]);
  });
});

describe('a symlink', () => {
  test.each([
    ['at the end', '/srv/a/link', '/srv/a/link', '/etc/passwd'],
    ['on the way', '/srv/a/link/x', '/srv/a/link', '/etc'],
    ['to the root', '/srv/a/link/etc/passwd', '/srv/a/link', '/'],
    ['above the prefix', '/srv/a/x', '/srv', '/data'],
    ['in the place of the prefix', '/srv/a/x', '/srv/a', '/etc'],
    ['that leads nowhere', '/srv/a/link', '/srv/a/link', '/srv/a/link'],
  ])('%s does not lead out', async (_name, path, link, target) => {
    harness.fake.links.set(link, target);
    const limited = await confined();
    expect(await refusal(await get(`?path=${path}`, limited))).toEqual(denied);
    expect(await refusal(await post(`?path=${path}`, limited))).toEqual(denied);
    for (const method of [Filesystem.method.listDir, Filesystem.method.watchDir]) {
      expect((await refusal(await harness.rpc(limited, method, { path }))).code).toBe(denied.code);
    }
    expect(files()).toEqual([]);
    expect(harness.fake.calls('filesystem.Filesystem/ListDir')).toEqual([]);
    expect(harness.fake.calls('filesystem.Filesystem/WatchDir')).toEqual([]);
  });

  test('that stays inside is followed', async () => {
    harness.fake.links.set('/srv/a/link', '/srv/a/real');
    expect((await get('?path=/srv/a/link/x', await confined())).status).toBe(200);
  });

  test('can itself be removed, wherever it leads', async () => {
    harness.fake.links.set('/srv/a/link', '/etc');
    const limited = await confined();
    expect((await harness.rpc(limited, Filesystem.method.remove, { path: '/srv/a/link' })).status).toBe(200);
    expect(
      await refusal(await harness.rpc(limited, Filesystem.method.remove, { path: '/srv/a/link/x' })),
    ).toEqual(denied);
  });

  test('is not looked for where all is granted', async () => {
    harness.fake.links.set('/a', '/etc');
    expect((await get('?path=/a/x')).status).toBe(200);
    expect(harness.fake.calls('filesystem.Filesystem/Stat')).toEqual([]);
  });

  test('is not looked for on ways without an end, at a call to envd for each step', async () => {
    const limited = await confined();
    const deep = await get(`?path=/srv/a${'/x'.repeat(1000)}`, limited);
    expect(await refusal(deep)).toEqual({ status: 400, code: 'invalid_argument' });
    expect(harness.fake.calls('filesystem.Filesystem/Stat')).toEqual([]);
    expect((await get(`?path=/srv/a${'/x'.repeat(50)}`, limited)).status).toBe(200);
  });

  test('cannot be where nothing is yet', async () => {
    harness.fake.missing.add('/srv/a/new').add('/srv/a/new/x');
    expect((await post('?path=/srv/a/new/x', await confined())).status).toBe(200);
  });
});
