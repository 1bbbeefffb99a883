import { CommandExitError, FileNotFoundError, Sandbox, SandboxNotFoundError } from 'e2b';
import { beforeAll, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

let server: LocalServer;
let sandbox: Sandbox;

beforeAll(async () => {
  server = await startServer();
  sandbox = await Sandbox.create({
    ...connection(),
    metadata: { purpose: 'test' },
    envs: { GREETING: 'hi' },
  });
});

function connection() {
  const { apiUrl, sandboxUrl, apiKey } = server;
  return { apiUrl, sandboxUrl, apiKey };
}

test('commands, in every way', async () => {
  expect(await sandbox.commands.run('echo "$GREETING"; echo err >&2')).toMatchObject({
    exitCode: 0,
    stdout: 'hi\n',
    stderr: 'err\n',
  });
  await expect(sandbox.commands.run('exit 3')).rejects.toThrow(CommandExitError);
  const cat = await sandbox.commands.run('cat', { background: true, stdin: true });
  expect((await sandbox.commands.list()).map(({ pid }) => pid)).toContain(cat.pid);
  let seen = '';
  const second = await sandbox.commands.connect(cat.pid, {
    onStdout: (text) => {
      seen += text;
    },
  });
  await sandbox.commands.sendStdin(cat.pid, 'typed\n');
  await until('both see it', () => cat.stdout === 'typed\n' && seen === 'typed\n');
  await sandbox.commands.closeStdin(cat.pid);
  expect((await cat.wait()).stdout).toBe('typed\n');
  await second.wait();
  const sleep = await sandbox.commands.run('sleep 300', { background: true });
  expect(await sleep.kill()).toBe(true);
  await expect(sleep.wait()).rejects.toMatchObject({ exitCode: -1, error: 'signal: killed' });
  expect(await sandbox.commands.kill(sleep.pid)).toBe(false);
});

test('files, in every way', async () => {
  const { files } = sandbox;
  expect(await files.write('a/f', 'text')).toMatchObject({ path: '/home/user/a/f' });
  expect(await files.read('a/f')).toBe('text');
  await files.write('zipped', new Blob(['z'.repeat(100_000)]), { gzip: true });
  expect((await files.read('zipped', { gzip: true })).length).toBe(100_000);
  await files.write([
    { path: 'm/1', data: 'one' },
    { path: '/tmp/2', data: new TextEncoder().encode('two').buffer },
  ]);
  expect(new TextDecoder().decode(await files.read('/tmp/2', { format: 'bytes' }))).toBe('two');
  const stream = new Blob(['streamed']).stream();
  await files.write('s', stream);
  expect(await new Response(await files.read('s', { format: 'stream' })).text()).toBe('streamed');
  expect(await files.read((await files.write('empty', '')).path)).toBe('');
  expect((await files.list('m')).map(({ name }) => name)).toEqual(['1']);
  expect(await files.exists('m/1')).toBe(true);
  expect(await files.getInfo('m/1')).toMatchObject({
    type: 'file',
    size: 3,
    owner: 'user',
    permissions: '-rw-r--r--',
  });
  expect([await files.makeDir('d'), await files.makeDir('d')]).toEqual([true, false]);
  expect(await files.rename('m/1', 'd/2')).toMatchObject({ path: '/home/user/d/2' });
  await files.remove('d');
  expect(await files.exists('d')).toBe(false);
  await expect(files.read('d/2')).rejects.toThrow(FileNotFoundError);
});

test('a terminal', async () => {
  let output = '';
  const decoder = new TextDecoder();
  const pty = await sandbox.pty.create({
    cols: 80,
    rows: 24,
    onData: (data) => {
      output += decoder.decode(data, { stream: true });
    },
  });
  const type = (text: string) => sandbox.pty.sendInput(pty.pid, new TextEncoder().encode(text));
  await type('stty size; echo $TERM\n');
  await until('the size is shown', () => output.includes('24 80') && output.includes('xterm-256color\r'));
  await sandbox.pty.resize(pty.pid, { cols: 100, rows: 30 });
  await type('stty size\n');
  await until('the new size is shown', () => output.includes('30 100'));
  await type('exit 6\n');
  await expect(pty.wait()).rejects.toMatchObject({ exitCode: 6 });
});

test('signed URLs', async () => {
  await sandbox.files.write('signed', 'signed');
  const url = await sandbox.downloadUrl('signed', { useSignatureExpiration: 60 });
  expect(await (await fetch(url)).text()).toBe('signed');
});

test('its life', async () => {
  const found = await Sandbox.list({ ...connection(), query: { metadata: { purpose: 'test' } } }).nextItems();
  expect(found.map(({ sandboxId }) => sandboxId)).toEqual([sandbox.sandboxId]);
  const again = await Sandbox.connect(sandbox.sandboxId, connection());
  expect((await again.commands.run('echo again')).stdout).toBe('again\n');
  await sandbox.setTimeout(60_000);
  expect((await sandbox.getInfo()).endAt.getTime() - Date.now()).toBeLessThan(61_000);
  expect(await sandbox.isRunning()).toBe(true);
  const running = again.commands.run('sleep 300');
  const failure = expect(running).rejects.toThrow();
  await until('it runs', async () => (await sandbox.commands.list()).length > 0);
  expect(await sandbox.kill()).toBe(true);
  await failure;
  expect(await sandbox.isRunning()).toBe(false);
  expect(await Sandbox.kill(sandbox.sandboxId, connection())).toBe(false);
  await expect(Sandbox.connect(sandbox.sandboxId, connection())).rejects.toThrow(SandboxNotFoundError);
});
