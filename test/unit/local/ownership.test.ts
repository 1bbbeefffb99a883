import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { run, sh, unary } from './support/rpc.js';
import { type Created, createSandbox, envdHeaders, startServer } from './support/server.js';
import { short, watchDir } from './support/watching.js';

let server: LocalServer;
let sandbox: Created;
/** Whether the host gives a sandbox more than one uid. */
let real: boolean;

const as = (name: string) => ({ authorization: `Basic ${Buffer.from(`${name}:`).toString('base64')}` });
const exec = async (user: string, command: string): Promise<string> => {
  const { stdout, stderr, end } = await run(server, sandbox, sh(command), { headers: as(user) });
  if (end.status !== 'exit status 0') throw new Error(`${command}: ${stderr}`);
  return stdout.trim();
};
const call = (user: string, method: string, body: unknown) =>
  unary(server, sandbox, `filesystem.Filesystem/${method}`, body, { headers: as(user) });
const files = (query: Record<string, string>, init: RequestInit = {}): Promise<Response> =>
  fetch(`${server.sandboxUrl}/files?${new URLSearchParams(query)}`, {
    ...init,
    headers: { ...envdHeaders(sandbox), ...init.headers },
  });
const put = (path: string, username: string, body = 'x'): Promise<Response> =>
  files(
    { path, username },
    { method: 'POST', body, headers: { 'content-type': 'application/octet-stream' } },
  );
/** Owner, group and rights of each. */
const owners = (...paths: string[]): Promise<string> => exec('root', `stat -c '%U:%G %a' ${paths.join(' ')}`);

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server);
  real = (await run(server, sandbox, sh('id -u'), { headers: as('root') })).stdout === '0\n';
});

beforeEach((context) => {
  if (!real) context.skip('this host gives a sandbox one uid only');
});

describe('what is created belongs to whoever asked', () => {
  test.each(['user', 'root'])('a file and its directories: %s', async (user) => {
    await put(`/tmp/${user}/a/b`, user);
    expect(await owners(`/tmp/${user}`, `/tmp/${user}/a`, `/tmp/${user}/a/b`)).toBe(
      `${user}:${user} 755\n${user}:${user} 755\n${user}:${user} 644`,
    );
  });

  test('a form’s files', async () => {
    const body = new FormData();
    body.append('file', new Blob(['x']), '/tmp/form/1');
    body.append('file', new Blob(['x']), '/tmp/form/2');
    await files({ username: 'root' }, { method: 'POST', body });
    expect(await owners('/tmp/form', '/tmp/form/1', '/tmp/form/2')).toBe(
      'root:root 755\nroot:root 644\nroot:root 644',
    );
  });

  test('directories of MakeDir and Move, and what is composed', async () => {
    await call('root', 'MakeDir', { path: '/tmp/made/deep' });
    await put('/tmp/moved', 'user');
    await call('root', 'Move', { source: '/tmp/moved', destination: '/tmp/parents/of/it' });
    await put('/tmp/piece', 'user');
    await fetch(`${server.sandboxUrl}/files/compose`, {
      method: 'POST',
      headers: envdHeaders(sandbox),
      body: JSON.stringify({
        source_paths: ['/tmp/piece'],
        destination: '/tmp/whole/file',
        username: 'root',
      }),
    });
    expect(
      await owners(
        '/tmp/made',
        '/tmp/made/deep',
        '/tmp/parents/of',
        '/tmp/parents/of/it',
        '/tmp/whole',
        '/tmp/whole/file',
      ),
    ).toBe('root:root 755\nroot:root 755\nroot:root 755\nuser:user 644\nroot:root 755\nroot:root 644');
  });

  test('directories that were there stay as they are', async () => {
    await exec('root', 'mkdir -m 711 /tmp/there');
    await put('/tmp/there/f', 'user');
    expect(await owners('/tmp/there', '/tmp/there/f')).toBe('root:root 711\nuser:user 644');
  });

  test('a file that is written over changes hands and keeps its rights', async () => {
    await exec('root', 'echo old > /tmp/over; chmod 600 /tmp/over; ln -s over /tmp/over-link');
    await put('/tmp/over-link', 'user', 'new');
    expect(await owners('/tmp/over')).toBe('user:user 600');
    expect(await exec('user', 'cat /tmp/over')).toBe('new');
  });
});

test('rights stop nobody who asks envd', async () => {
  await exec(
    'root',
    'mkdir -p /tmp/closed/in; echo secret > /tmp/closed/f; chmod 000 /tmp/closed/f /tmp/closed/in /tmp/closed',
  );
  expect(await (await files({ path: '/tmp/closed/f' })).text()).toBe('secret\n');
  expect((await call('user', 'Stat', { path: '/tmp/closed/f' })).body.entry).toMatchObject({
    owner: 'root',
    permissions: '----------',
  });
  expect((await call('user', 'ListDir', { path: '/tmp/closed', depth: 2 })).body.entries).toHaveLength(2);
  expect((await put('/tmp/closed/in/f', 'user')).status).toBe(200);
  expect((await call('user', 'MakeDir', { path: '/tmp/closed/d' })).status).toBe(200);
  const watch = await watchDir(
    server,
    sandbox,
    { path: '/tmp/closed', recursive: true },
    { headers: as('root') },
  );
  await exec('root', 'rm /tmp/closed/in/f');
  expect((await watch.stream.next()).filesystem).toEqual({ name: 'in/f', type: 'EVENT_TYPE_REMOVE' });
  watch.stream.close();
  expect((await call('user', 'Remove', { path: '/tmp/closed' })).status).toBe(200);
  expect(await exec('root', 'ls /tmp')).not.toContain('closed');
});

test('envd’s uploads are told as a real envd’s: created, given away, written', async () => {
  await exec('user', 'mkdir -p /tmp/seen');
  const watch = await watchDir(server, sandbox, { path: '/tmp/seen' });
  await put('/tmp/seen/f', 'user', 'content');
  const told = new Set((await watch.told()).map(short));
  expect(told).toContain('CREATE f');
  expect(told).toContain('WRITE f');
  watch.stream.close();
});
