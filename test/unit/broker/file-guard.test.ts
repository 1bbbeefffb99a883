import { describe, expect, test } from 'vitest';
import type { Upstream } from '../../../src/broker/envd-upstream.js';
import { createFileGuard, type FileAccess } from '../../../src/broker/file-guard.js';
import { parseGrant } from '../../../src/broker/grant.js';
import { ConnectionError, SandboxError } from '../../../src/errors.js';

/** What is at a path: a symlink's target, a refusal, nothing, or an answer without a word on it. Other paths are directories. */
type Places = Record<string, { path?: string; symlinkTarget?: string } | Error | undefined | null>;

interface AskedUpstream extends Upstream {
  asked: string[];
}

const read: FileAccess = { ops: ['read'], follows: true };
const inData = parseGrant({ files: [{ op: 'read', prefix: '/data' }] });
const denied = { code: 'permission_denied', statusCode: 403 };

/** An envd that knows these places, and remembers which it was asked for. */
function envd(
  places: Places | ((path: string) => Places[string]),
  who: Partial<Upstream> = {},
): AskedUpstream {
  const asked: string[] = [];
  const at = (path: string): Places[string] => {
    if (typeof places === 'function') return places(path);
    return path in places ? places[path] : { path };
  };
  return {
    sandboxId: 'one',
    user: undefined,
    ...who,
    asked,
    send: () => Promise.reject(new Error('nothing is sent')),
    async call<I, O>(_method: unknown, { path }: I & { path?: string }): Promise<O | undefined> {
      asked.push(path ?? '');
      const place = at(path ?? '');
      if (place instanceof Error) throw place;
      return place === undefined ? undefined : ((place ? { entry: place } : {}) as O);
    },
  };
}

const link = (symlinkTarget: string) => ({ symlinkTarget });
const broken = () => new SandboxError('not a directory: /etc/passwd', { code: 'internal', statusCode: 500 });
const check = (upstream: Upstream, path: string, access = read) =>
  createFileGuard().check(upstream, inData, path, access);

describe('the home directory', () => {
  const homeOf = (user: string) => ({ '~': { path: `/home/${user}` } });

  test('is that of the session’s own user and sandbox, and is asked for once', async () => {
    const files = createFileGuard();
    const all = [
      envd(homeOf('ann'), { user: 'ann' }),
      envd(homeOf('bob'), { user: 'bob' }),
      envd(homeOf('nobody')),
      envd(homeOf('other'), { user: 'ann', sandboxId: 'two' }),
    ];
    for (let round = 0; round < 2; round++) {
      const found = all.map((upstream) => files.realPath(upstream, '~'));
      expect(await Promise.all(found)).toEqual(['/home/ann', '/home/bob', '/home/nobody', '/home/other']);
    }
    for (const { asked } of all) expect(asked.filter((path) => path === '~')).toEqual(['~']);
  });

  test('is not the directory that commands start in', async () => {
    const files = createFileGuard();
    const upstream = envd({ '': { path: '/app' }, '~': { path: '/home/user' } });
    for (let round = 0; round < 2; round++) {
      expect(await files.realPath(upstream, '')).toBe('/app');
      expect(await files.realPath(upstream, 'x')).toBe('/home/user/x');
    }
    expect(upstream.asked.filter((path) => path === '' || path === '~').sort()).toEqual(['', '~']);
  });

  test.each([
    ['nothing', undefined],
    ['not a word', null],
    ['no path', {}],
    ['a path that counts from somewhere', { path: 'home/user' }],
  ])('that envd tells %s of is asked for again', async (_name, told) => {
    const files = createFileGuard();
    let home: Places[string] = told;
    const upstream = envd((path) => (path === '~' ? home : { path }));
    await expect(files.realPath(upstream, '~')).rejects.toMatchObject({ code: 'upstream_unavailable' });
    home = { path: '/home/user' };
    expect(await files.realPath(upstream, '~')).toBe('/home/user');
  });

  test('has to be granted as well', async () => {
    const upstream = envd({ '~': { path: '/home/user' } });
    await expect(check(upstream, '~/x')).rejects.toMatchObject(denied);
    expect(await check(envd({ '~': { path: '/data' } }), '~/x')).toBe('/data/x');
  });
});

describe('a symlink', () => {
  test('is gone after to where it leads, all the way', async () => {
    const upstream = envd({
      '/data/a': link('/data/b'),
      '/data/b': link('/srv'),
      '/srv/x': link('/data/c/y'),
    });
    expect(await createFileGuard().realPath(upstream, '/data/a/x')).toBe('/data/c/y');
    expect(await check(upstream, '/data/a/x')).toBe('/data/a/x');
    await expect(check(upstream, '/data/a/z')).rejects.toMatchObject(denied);
  });

  test('to the root leads to what is below the root', async () => {
    const upstream = envd({ '/data/root': link('/') });
    expect(await check(upstream, '/data/root/data/x')).toBe('/data/root/data/x');
    expect(await createFileGuard().realPath(upstream, '/data/root/etc/passwd')).toBe('/etc/passwd');
    await expect(check(upstream, '/data/root/etc/passwd')).rejects.toMatchObject(denied);
  });

  test.each([
    ['nowhere that envd names absolutely', 'x'],
    ['nowhere', ''],
    ['to itself', '/data/link'],
    ['below itself', '/data/link/x'],
  ])('that leads %s is refused at the first look', async (_name, target) => {
    const upstream = envd({ '/data/link': link(target) });
    await expect(check(upstream, '/data/link')).rejects.toMatchObject(denied);
    expect(upstream.asked).toEqual(['/data', '/data/link']);
    await expect(createFileGuard().realPath(upstream, '/data/link')).rejects.toMatchObject(denied);
  });

  test('cannot be where envd tells of nothing', async () => {
    expect(await check(envd({ '/data/new': undefined, '/data/new/x': null }), '/data/new/x')).toBe(
      '/data/new/x',
    );
  });

  test('beside its target is told from it', async () => {
    expect(await check(envd({ '/data/link': link('/data/linked') }), '/data/link')).toBe('/data/link');
  });

  test('that somebody puts in the way again and again is not gone after for ever', async () => {
    let step = 0;
    const upstream = envd((path) => {
      if (/\/link\d+$/.test(path)) return link(`/data/link${++step}`);
      return { path };
    });
    await expect(check(upstream, '/data/link0')).rejects.toMatchObject(denied);
    expect(step).toBeLessThan(20);
  });

  test('that leads to a way without an end is not looked along', async () => {
    const upstream = envd({ '/data/link': link(`/data${'/x'.repeat(100)}`) });
    await expect(check(upstream, '/data/link')).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(upstream.asked.length).toBeLessThan(10);
  });

  test('is its own place where envd takes it as it is, and what is before it counts', async () => {
    const itself: FileAccess = { ops: ['read'], follows: false };
    const upstream = envd({ '/data/link': link('/etc'), '/data/way': link('/srv') });
    expect(await check(upstream, '/data/link', itself)).toBe('/data/link');
    await expect(check(upstream, '/data/way/x', itself)).rejects.toMatchObject(denied);
  });
});

describe('what envd says of a place on the way', () => {
  test('is told where the session may be', async () => {
    const upstream = envd({ '/data/file/x': broken() });
    await expect(check(upstream, '/data/file/x')).rejects.toMatchObject({ code: 'internal' });
  });

  test('is not told of what is behind a symlink: whether that is a file or a directory is not for the page', async () => {
    const behind = envd({ '/data/link': link('/etc/passwd'), '/etc/passwd/x': broken() });
    await expect(check(behind, '/data/link/x')).rejects.toMatchObject(denied);
    // As envd looks at it from this side.
    const before = envd({ '/data/link': link('/etc/passwd'), '/data/link/x': broken() });
    await expect(check(before, '/data/link/x')).rejects.toMatchObject(denied);
  });

  test('counts for nothing behind a symlink, if the way that it leads is free', async () => {
    const upstream = envd({ '/data/link': link('/data/real'), '/data/link/x': broken() });
    expect(await check(upstream, '/data/link/x')).toBe('/data/link/x');
  });

  test('counts before a symlink', async () => {
    const upstream = envd({ '/data': broken(), '/data/link': link('/data/real') });
    await expect(check(upstream, '/data/link/x')).rejects.toMatchObject({ code: 'internal' });
  });

  test('is a matter of envd’s behind a symlink too, where it does not answer', async () => {
    const away = new ConnectionError('away', { code: 'upstream_unavailable', statusCode: 502 });
    const upstream = envd({ '/data/link': link('/data/real'), '/data/real/x': away });
    await expect(check(upstream, '/data/link/x')).rejects.toBe(away);
  });
});

describe('where all is granted', () => {
  test('for one operation, the other is still looked after', async () => {
    const grant = parseGrant({
      files: [
        { op: 'read', prefix: '/' },
        { op: 'write', prefix: '/data' },
      ],
    });
    const upstream = envd({ '/data/link': link('/etc') });
    const files = createFileGuard();
    expect(await files.check(upstream, grant, '/data/link/x', read)).toBe('/data/link/x');
    expect(upstream.asked).toEqual([]);
    for (const ops of [['write'], ['read', 'write']] as const) {
      const access = { ops, follows: true };
      await expect(files.check(upstream, grant, '/data/link/x', access)).rejects.toMatchObject(denied);
    }
  });

  test('below a prefix alone, symlinks are looked for', async () => {
    const upstream = envd({});
    await check(upstream, '/data/x');
    expect(upstream.asked).toEqual(['/data', '/data/x']);
  });

  test('in strict mode, none is looked for: the programs look where they are', async () => {
    const upstream = envd({ '/data/link': link('/etc') });
    const grant = { ...inData, strict: true, user: 'user' };
    expect(await createFileGuard().check(upstream, grant, '/data/link', read)).toBe('/data/link');
    expect(upstream.asked).toEqual([]);
  });
});
