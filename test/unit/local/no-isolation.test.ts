import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { hostProcesses, uniqueSleep } from './support/host-processes.js';
import { run, sh, stream, unary } from './support/rpc.js';
import { api, type Created, createSandbox, envdHeaders, startServer } from './support/server.js';
import { until } from './support/until.js';

let server: LocalServer;
let sandbox: Created;

beforeAll(async () => {
  server = await startServer({ isolation: 'none' });
  sandbox = await createSandbox(server);
});

const shell = async (command: string): Promise<string> => (await run(server, sandbox, sh(command))).stdout;
const call = (method: string, body: unknown) =>
  unary(server, sandbox, `filesystem.Filesystem/${method}`, body);
const files = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${server.sandboxUrl}/files?path=${encodeURIComponent(path)}`, {
    ...init,
    headers: { ...envdHeaders(sandbox), 'content-type': 'application/octet-stream' },
  });
const put = (path: string, body: string): Promise<Response> => files(path, { method: 'POST', body });

test('paths are those of the sandbox', async () => {
  const response = await put('/home/user/x/f', 'content');
  expect(await response.json()).toEqual([{ path: '/home/user/x/f', name: 'f', type: 'file' }]);
  expect(await shell('cat x/f; cat "$HOME/x/f"')).toBe('contentcontent');
  expect(
    (await call('ListDir', { path: '/' })).body.entries.map(({ path }: { path: string }) => path),
  ).toContain('/home');
});

test('a path that a program printed is understood', async () => {
  const printed = (await shell('echo printed > p; realpath p')).trim();
  expect(printed).not.toBe('/home/user/p');
  expect(await (await files(printed)).text()).toBe('printed\n');
});

describe('nothing leads out', () => {
  const outside = mkdtempSync(join(tmpdir(), 'outside-'));
  writeFileSync(join(outside, 'secret'), 'secret');
  afterAll(() => rmSync(outside, { recursive: true }));

  test('by dots', async () => {
    for (const path of [
      `../../../../../..${outside}/secret`,
      `/../..${outside}/secret`,
      `${outside}/secret`,
    ]) {
      expect((await files(path)).status).toBe(404);
    }
    expect((await put(`/../../..${outside}/new`, 'x')).status).toBe(200);
    expect(() => readFileSync(join(outside, 'new'))).toThrow();
  });

  test('by symlinks, to a file, to a directory, or to nothing yet', async () => {
    await shell(
      `ln -s ${outside}/secret file; ln -s ${outside} dir; ln -s ${outside}/new dangling; ln -s / all`,
    );
    for (const path of ['file', 'dir/secret', `all${outside}/secret`]) {
      const response = await files(path);
      expect(response.status).toBe(400);
      expect(((await response.json()) as { message: string }).message).toContain('outside the sandbox');
    }
    for (const path of ['file', 'dir/new', 'dangling'])
      expect((await put(path, 'overwritten')).status).toBe(400);
    for (const [method, body] of [
      ['ListDir', { path: 'dir' }],
      ['MakeDir', { path: 'dir/new' }],
      ['Move', { source: 'dir/secret', destination: 'moved' }],
      ['Move', { source: '.profile', destination: 'dir/new' }],
      ['Remove', { path: 'dir/secret' }],
      ['Stat', { path: 'dir/secret' }],
    ] as const) {
      expect((await call(method, body)).body.code).toBe('invalid_argument');
    }
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(() => readFileSync(join(outside, 'new'))).toThrow();
  });

  test('a link itself can be seen and removed', async () => {
    await shell(`ln -s ${outside} seen`);
    expect((await call('Stat', { path: 'seen' })).body.entry.symlinkTarget).toBe(outside);
    expect((await call('Remove', { path: 'seen' })).status).toBe(200);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  test('a process cannot start out there', async () => {
    const { streamEnd } = await run(server, sandbox, sh('pwd', { cwd: 'dir' }));
    expect(streamEnd.error.code).toBe('invalid_argument');
  });
});

test('programs get no variable of the host’s', async () => {
  expect(await shell('env')).not.toMatch(/VITEST|NODE_ENV|npm_/);
});

test('the end takes every process along', async () => {
  const one = await createSandbox(server);
  const sleep = uniqueSleep();
  await run(server, one, sh(`setsid -f ${sleep} >/dev/null 2>&1 </dev/null`));
  await stream(server, one, 'process.Process/Start', {
    process: { cmd: '/bin/sh', args: ['-c', `${sleep}; true`] },
    pty: {},
  });
  await until('they run', () => hostProcesses(sleep).length >= 2);
  await api(server, 'DELETE', `/sandboxes/${one.sandboxID}`);
  expect(hostProcesses(sleep)).toEqual([]);
});
