import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { getSignature } from 'e2b';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { run, sh, unary } from './support/rpc.js';
import { type Created, createSandbox, envdHeaders, startServer } from './support/server.js';

let server: LocalServer;
let sandbox: Created;

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server);
});

const files = (query: Record<string, string>, init: RequestInit = {}): Promise<Response> =>
  fetch(`${server.sandboxUrl}/files?${new URLSearchParams(query)}`, {
    ...init,
    headers: { ...envdHeaders(sandbox), ...init.headers },
  });
const put = (path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
  files(
    { path },
    { method: 'POST', body, headers: { 'content-type': 'application/octet-stream', ...headers } },
  );
const call = (method: string, body: unknown) =>
  unary(server, sandbox, `filesystem.Filesystem/${method}`, body);
const shell = (command: string) => run(server, sandbox, sh(command));

describe('upload', () => {
  test('octet-stream makes the file and its parents', async () => {
    const response = await put('a/b/c.txt', 'content');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual([{ path: '/home/user/a/b/c.txt', name: 'c.txt', type: 'file' }]);
    const { stdout } = await shell('cat a/b/c.txt; stat -c " %a %U" a a/b/c.txt');
    expect(stdout).toBe('content 755 user\n 644 user\n');
  });

  test('multipart takes any number of files by their names, and skips what is not a file', async () => {
    const form = new FormData();
    form.append('note', 'skipped');
    form.append('file', new Blob(['one']), 'm/1.txt');
    form.append('file', new Blob([]), '/tmp/empty');
    form.append('file', new Blob([randomBytes(300_000)]), 'm/two words ü.bin');
    const response = await files({}, { method: 'POST', body: form });
    expect(response.status).toBe(200);
    expect(((await response.json()) as { path: string }[]).map(({ path }) => path)).toEqual([
      '/home/user/m/1.txt',
      '/tmp/empty',
      '/home/user/m/two words ü.bin',
    ]);
    expect((await shell('cat m/1.txt; stat -c %s /tmp/empty "m/two words ü.bin"')).stdout).toBe(
      'one0\n300000\n',
    );
  });

  test('gzip, either way', async () => {
    const body = gzipSync('zipped '.repeat(1000));
    expect((await put('z.txt', body, { 'content-encoding': 'gzip' })).status).toBe(200);
    const form = new Response(formOf('f'.repeat(100_000)));
    const response = await files(
      { path: 'zipped-form' },
      {
        method: 'POST',
        body: gzipSync(Buffer.from(await form.arrayBuffer())),
        headers: { 'content-encoding': 'gzip', 'content-type': form.headers.get('content-type')! },
      },
    );
    expect(response.status).toBe(200);
    expect((await shell('wc -c < z.txt; wc -c < zipped-form')).stdout).toBe('7000\n100000\n');
  });

  test('writes in place: a symlink is followed, the mode stays', async () => {
    await shell('echo old old old > target; chmod 600 target; ln -s target link');
    await put('link', 'new');
    expect((await shell('cat target; stat -c " %a" target; test -L link && echo link')).stdout).toBe(
      'new 600\nlink\n',
    );
  });

  test.each([
    ['octet-stream without a path', {}, { 'content-type': 'application/octet-stream' }, 400],
    ['another type', { path: 'x' }, { 'content-type': 'text/plain' }, 400],
    [
      'another coding',
      { path: 'x' },
      { 'content-type': 'application/octet-stream', 'content-encoding': 'br' },
      400,
    ],
    ['a directory', { path: '/tmp' }, { 'content-type': 'application/octet-stream' }, 400],
    ['below a file', { path: '/etc/passwd/x' }, { 'content-type': 'application/octet-stream' }, 500],
    ['another’s home', { path: '~bob/x' }, { 'content-type': 'application/octet-stream' }, 400],
    ['an unknown user', { path: 'x', username: 'bob' }, { 'content-type': 'application/octet-stream' }, 401],
  ])('refuses %s', async (_what, query, headers, status) => {
    const response = await files(query as Record<string, string>, {
      method: 'POST',
      body: 'x',
      headers: headers as Record<string, string>,
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code: status, message: expect.any(String) });
  });

  test('refuses two files of one name after the first', async () => {
    const form = formOf('first');
    form.append('file', new Blob(['second']), 'f');
    expect((await files({ path: 'same' }, { method: 'POST', body: form })).status).toBe(400);
    expect((await shell('cat same')).stdout).toBe('first');
  });

  test('a broken form is an error, and so is a broken gzip stream', async () => {
    const broken = await files(
      { path: 'broken' },
      {
        method: 'POST',
        body: '--b\r\ncontent-disposition: form-data; name="file"\r\n\r\nx',
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
      },
    );
    expect(broken.status).toBe(500);
    expect((await put('broken', 'not gzip', { 'content-encoding': 'gzip' })).status).toBeGreaterThanOrEqual(
      400,
    );
  });

  test('a refused upload of any size is answered, and the connection goes on', async () => {
    const response = await put('/tmp', Buffer.alloc(30 << 20));
    expect(response.status).toBe(400);
    expect((await put('after', 'x')).status).toBe(200);
  });
});

describe('download', () => {
  test.each(['identity', 'gzip'])(
    'what opens but cannot be read is an error that says so, %s',
    async (encoding) => {
      const response = await files({ path: '/proc/self/mem' }, { headers: { 'accept-encoding': encoding } });
      expect(response.status).toBe(500);
      expect(response.headers.get('content-encoding')).toBeNull();
      expect(((await response.json()) as { message: string }).message).toContain('i/o error');
    },
  );

  test('as is: length, type, date, name', async () => {
    await put('plain.txt', 'plain');
    const response = await files({ path: 'plain.txt' }, { headers: { 'accept-encoding': 'identity' } });
    expect(await response.text()).toBe('plain');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-length': '5',
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': 'inline; filename=plain.txt',
      'accept-ranges': 'bytes',
      vary: 'Accept-Encoding',
    });
    const since = response.headers.get('last-modified')!;
    const again = await files({ path: 'plain.txt' }, { headers: { 'if-modified-since': since } });
    expect(again.status).toBe(304);
  });

  test('compressed when the client ranks gzip best', async () => {
    await put('big.txt', 'line\n'.repeat(100_000));
    const response = await files({ path: 'big.txt' }, { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(response.headers.get('content-length')).toBeNull();
    expect(await response.text()).toBe('line\n'.repeat(100_000));
    const preferred = await files(
      { path: 'big.txt' },
      { headers: { 'accept-encoding': 'gzip;q=0.5, identity' } },
    );
    expect(preferred.headers.get('content-encoding')).toBeNull();
    const neither = await files({ path: 'big.txt' }, { headers: { 'accept-encoding': 'br, identity;q=0' } });
    expect(neither.status).toBe(406);
  });

  test('a range of an empty file is all of it', async () => {
    await put('nothing', '');
    const response = await files({ path: 'nothing' }, { headers: { range: 'bytes=0-' } });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  test('large files come whole', async () => {
    const bytes = randomBytes(50 << 20);
    await put('large', bytes);
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect((await shell('sha256sum large')).stdout).toContain(digest);
    for (const encoding of ['identity', 'gzip']) {
      const response = await files({ path: 'large' }, { headers: { 'accept-encoding': encoding } });
      const received = Buffer.from(await response.arrayBuffer());
      expect(createHash('sha256').update(received).digest('hex')).toBe(digest);
    }
  });

  test.each([
    ['missing', 404, "path '/home/user/missing' does not exist"],
    ['/tmp', 400, "path '/tmp' is a directory"],
    ['/etc/passwd/x', 500, 'not a directory'],
    ['/dev/zero', 400, 'not a regular file'],
  ])('%s is %i', async (path, status, words) => {
    const response = await files({ path });
    expect(response.status).toBe(status);
    const body = (await response.json()) as { code: number; message: string };
    expect(body.code).toBe(status);
    expect(body.message).toContain(words);
  });

  test('names that are not plain', async () => {
    for (const [name, expected] of [
      ['two words', 'inline; filename="two words"'],
      ['ünï', "inline; filename*=utf-8''%C3%BCn%C3%AF"],
    ] as const) {
      await put(name, 'x');
      expect((await files({ path: name })).headers.get('content-disposition')).toBe(expected);
    }
  });
});

describe('a signed URL', () => {
  const signed = async (
    path: string,
    operation: 'read' | 'write',
    expirationInSeconds?: number,
  ): Promise<string> => {
    const { signature, expiration } = await getSignature({
      path,
      operation,
      envdAccessToken: sandbox.envdAccessToken,
      user: undefined,
      ...(expirationInSeconds !== undefined && { expirationInSeconds }),
    });
    const query = new URLSearchParams({ path, signature });
    if (expiration !== null) query.set('signature_expiration', String(expiration));
    return query.toString();
  };

  test('made by the official SDK works without any header, on either host', async () => {
    const url = `${server.sandboxUrl}/files?${await signed('signed.txt', 'write', 60)}`;
    const form = formOf('signed');
    expect((await fetch(url, { method: 'POST', body: form })).status).toBe(200);
    const read = await fetch(`${server.sandboxUrl}/files?${await signed('signed.txt', 'read')}`);
    expect(await read.text()).toBe('signed');
  });

  test.each([
    ['expired', () => signed('signed.txt', 'read', -10), 'expired'],
    ['for the other operation', () => signed('signed.txt', 'write'), 'invalid signature'],
    [
      'of another path',
      async () => (await signed('other', 'read')).replace('other', 'signed.txt'),
      'invalid signature',
    ],
    ['missing', async () => 'path=signed.txt', 'missing signature query parameter'],
  ])('that is %s is refused', async (_what, query, words) => {
    const { 'x-access-token': _token, ...routing } = envdHeaders(sandbox);
    const response = await fetch(`${server.sandboxUrl}/files?${await query()}`, { headers: routing });
    expect(response.status).toBe(401);
    expect(((await response.json()) as { message: string }).message).toContain(words);
    expect((await fetch(`${server.sandboxUrl}/files?${await query()}`)).status).toBe(401);
  });

  test('does not help a wrong token', async () => {
    const response = await fetch(`${server.sandboxUrl}/files?${await signed('signed.txt', 'read')}`, {
      headers: { ...envdHeaders(sandbox), 'x-access-token': 'wrong' },
    });
    expect(response.status).toBe(401);
  });
});

describe('Filesystem', () => {
  test('Stat tells all', async () => {
    await shell(
      'mkdir -p st; echo 12345 > st/f; chmod 4640 st/f; ln -s f st/link; ln -s gone st/dangling; mkfifo st/fifo; chmod 1777 st',
    );
    const stat = async (path: string) => (await call('Stat', { path })).body.entry;
    expect(await stat('st/f')).toMatchObject({
      name: 'f',
      type: 'FILE_TYPE_FILE',
      path: '/home/user/st/f',
      size: '6',
      mode: 0o640,
      permissions: 'urw-r-----',
      owner: 'user',
      group: 'user',
      modifiedTime: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await stat('st')).toMatchObject({ type: 'FILE_TYPE_DIRECTORY', permissions: 'dtrwxrwxrwx' });
    expect(await stat('st/link')).toMatchObject({
      type: 'FILE_TYPE_FILE',
      permissions: 'Lrwxrwxrwx',
      symlinkTarget: '/home/user/st/f',
      mode: 0o640,
    });
    const dangling = await stat('st/dangling');
    expect(dangling).toMatchObject({ symlinkTarget: '/home/user/st/dangling' });
    expect(dangling.type).toBeUndefined();
    expect((await stat('st/fifo')).permissions).toBe('prw-r--r--');
  });

  test('ListDir goes down in order, and not through symlinks', async () => {
    await shell('mkdir -p ld/b/c ld/a; touch ld/b/c/d ld/a/x ld/Z; ln -s b ld/link; ln -s ld linked');
    const list = async (path: string, depth?: number): Promise<string[]> =>
      (await call('ListDir', { path, depth })).body.entries.map((entry: { path: string }) => entry.path);
    expect(await list('ld')).toEqual(['Z', 'a', 'b', 'link'].map((name) => `/home/user/ld/${name}`));
    expect(await list('linked', 3)).toEqual(
      ['Z', 'a', 'a/x', 'b', 'b/c', 'b/c/d', 'link'].map((name) => `/home/user/linked/${name}`),
    );
  });

  test.each([
    ['Stat', { path: 'none' }, 404, 'not_found'],
    ['Stat', { path: '/etc/passwd/x' }, 500, 'internal'],
    ['Stat', { path: '~bob' }, 400, 'invalid_argument'],
    ['ListDir', { path: 'none' }, 404, 'not_found'],
    ['ListDir', { path: '/etc/passwd' }, 400, 'invalid_argument'],
    ['ListDir', { path: 'cycle' }, 400, 'failed_precondition'],
    ['MakeDir', { path: '/tmp' }, 409, 'already_exists'],
    ['MakeDir', { path: '/etc/passwd' }, 400, 'invalid_argument'],
    ['MakeDir', { path: '/etc/passwd/x' }, 500, 'internal'],
    ['Move', { source: 'none', destination: 'x' }, 404, 'not_found'],
    ['Remove', { path: '/usr/bin/env' }, 500, 'internal'],
  ])('%s %j is %i %s', async (method, body, status, code) => {
    await shell('test -L cycle || ln -s cycle cycle');
    expect(await call(method, body)).toMatchObject({ status, body: { code, message: expect.any(String) } });
  });

  test('MakeDir, Move and Remove', async () => {
    expect((await call('MakeDir', { path: 'mk/a/b' })).body.entry).toMatchObject({
      permissions: 'drwxr-xr-x',
    });
    await put('mk/f', 'moved');
    const moved = await call('Move', { source: 'mk/f', destination: '/tmp/new/place' });
    expect(moved.body.entry.path).toBe('/tmp/new/place');
    await put('mk/other', 'replaced');
    expect((await call('Move', { source: '/tmp/new/place', destination: 'mk/other' })).status).toBe(200);
    expect((await shell('cat mk/other')).stdout).toBe('moved');
    for (let i = 0; i < 2; i++) expect((await call('Remove', { path: 'mk' })).status).toBe(200);
    expect((await call('Stat', { path: 'mk' })).body.code).toBe('not_found');
  });

  test('an empty JSON body is no request', async () => {
    const response = await fetch(`${server.sandboxUrl}/filesystem.Filesystem/Stat`, {
      method: 'POST',
      headers: { ...envdHeaders(sandbox), 'content-type': 'application/json' },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_argument' });
  });
});

test('compose joins, replaces at once, and removes the sources', async () => {
  const compose = (body: unknown): Promise<Response> =>
    fetch(`${server.sandboxUrl}/files/compose`, {
      method: 'POST',
      headers: envdHeaders(sandbox),
      body: JSON.stringify(body),
    });
  await put('p1', 'one');
  await put('p2', 'two');
  const response = await compose({ source_paths: ['p1', 'p2'], destination: 'whole/file' });
  expect(await response.json()).toEqual({ path: '/home/user/whole/file', name: 'file', type: 'file' });
  expect((await shell('cat whole/file; ls -A whole; ls p1 p2')).stdout).toBe('onetwofile\n');
  expect((await compose({ source_paths: ['whole/file', 'none'], destination: 'x' })).status).toBe(404);
  expect((await compose({ source_paths: [], destination: 'x' })).status).toBe(400);
  expect((await compose({ source_paths: ['x'], destination: 'x' })).status).toBe(400);
});

test('health, envs and metrics', async () => {
  const get = (path: string): Promise<Response> =>
    fetch(server.sandboxUrl + path, { headers: envdHeaders(sandbox) });
  expect((await get('/health')).status).toBe(204);
  expect(await (await get('/envs')).json()).toMatchObject({ E2B_SANDBOX: 'true' });
  expect(await (await get('/metrics')).json()).toMatchObject({
    cpu_count: expect.any(Number),
    disk_total: expect.any(Number),
  });
  expect((await get('/none')).status).toBe(404);
});

function formOf(text: string): FormData {
  const form = new FormData();
  form.append('file', new Blob([text]), 'f');
  return form;
}

describe('paths that are not clean', () => {
  const fs = (method: string, message: unknown) =>
    unary(server, sandbox, `filesystem.Filesystem/${method}`, message);

  test('leave no directory behind that was named only to be left again', async () => {
    await fs('MakeDir', { path: 'odd' });
    const answer = await fetch(
      `${server.sandboxUrl}/files?path=${encodeURIComponent('/home/user/odd/zz/../x')}`,
      {
        method: 'POST',
        headers: { ...envdHeaders(sandbox), 'content-type': 'application/octet-stream' },
        body: 'x',
      },
    );
    expect(answer.status).toBe(500);
    expect((await fs('ListDir', { path: 'odd' })).body.entries ?? []).toEqual([]);
  });

  test('name one directory twice, which may be moved to itself', async () => {
    await fs('MakeDir', { path: 'odd/self' });
    const move = (source: string, destination: string) => fs('Move', { source, destination });
    expect((await move('/home/user/odd/./self', '/home/user/odd/self')).status).toBe(200);
    expect((await move('/home/user/odd/self', '/home/user/odd/self')).status).toBe(500);
  });

  test('end in a slash, and a file is removed all the same', async () => {
    await run(server, sandbox, sh('mkdir -p odd; echo x > odd/file'));
    expect((await fs('Remove', { path: '/home/user/odd/file/' })).status).toBe(200);
    expect((await fs('Stat', { path: '/home/user/odd/file' })).body.code).toBe('not_found');
  });
});
