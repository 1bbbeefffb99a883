/** The official `e2b` package, unmodified, as a client of the local server. */

import { CommandExitError, FileNotFoundError, Sandbox } from 'e2b';
import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let server: LocalServer;
let sandbox: Sandbox;

const decoder = new TextDecoder();

beforeAll(async () => {
  server = await startLocalServer();
  process.env.E2B_API_URL = server.apiUrl;
  process.env.E2B_SANDBOX_URL = server.sandboxUrl;
  process.env.E2B_API_KEY = server.apiKey;
  sandbox = await Sandbox.create();
});

afterAll(async () => {
  for (const name of ['E2B_API_URL', 'E2B_SANDBOX_URL', 'E2B_API_KEY']) delete process.env[name];
  await server?.close();
});

describe('sandboxes', () => {
  test('are created, asked about, and killed', async () => {
    const other = await Sandbox.create('base', {
      timeoutMs: 60_000,
      metadata: { purpose: 'compat' },
      envs: { A: 'b' },
    });
    expect(await other.isRunning()).toBe(true);
    const info = await other.getInfo();
    expect(info).toMatchObject({
      sandboxId: other.sandboxId,
      state: 'running',
      metadata: { purpose: 'compat' },
    });
    expect((await other.commands.run('echo $A')).stdout).toBe('b\n');
    expect(await other.kill()).toBe(true);
    expect(await other.isRunning()).toBe(false);
    expect(await other.kill()).toBe(false);
  });

  test('are listed by metadata', async () => {
    const mark = crypto.randomUUID();
    const other = await Sandbox.create({ metadata: { mark, 'odd &': 'välue %=' } });
    const items = await Sandbox.list({ query: { metadata: { mark, 'odd &': 'välue %=' } } }).nextItems();
    expect(items.map(({ sandboxId }) => sandboxId)).toEqual([other.sandboxId]);
    expect(await Sandbox.list({ query: { metadata: { mark: 'another' } } }).nextItems()).toEqual([]);
    await other.kill();
  });

  test('are connected to again', async () => {
    const again = await Sandbox.connect(sandbox.sandboxId);
    expect(again.sandboxId).toBe(sandbox.sandboxId);
    expect((await again.commands.run('echo hi')).stdout).toBe('hi\n');
  });

  test('get another end time', async () => {
    const before = (await sandbox.getInfo()).endAt;
    await sandbox.setTimeout(600_000);
    expect((await sandbox.getInfo()).endAt.getTime()).toBeGreaterThan(before.getTime());
  });
});

describe('commands', () => {
  test('are run', async () => {
    const pieces: string[] = [];
    const result = await sandbox.commands.run('echo out; echo err >&2', {
      onStdout: (text) => void pieces.push(text),
    });
    expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 0 });
    expect(pieces.join('')).toBe('out\n');
    const failed = await sandbox.commands.run('exit 3').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(CommandExitError);
    expect(failed).toMatchObject({ exitCode: 3 });
  });

  test('run in the background, take input, are listed and killed', async () => {
    const cat = await sandbox.commands.run('cat', { background: true, stdin: true });
    await cat.sendStdin('echoed\n');
    await cat.closeStdin();
    expect((await cat.wait()).stdout).toBe('echoed\n');

    const sleep = await sandbox.commands.run('sleep 600', { background: true });
    expect((await sandbox.commands.list()).map(({ pid }) => pid)).toContain(sleep.pid);
    const again = await sandbox.commands.connect(sleep.pid);
    expect(await sandbox.commands.kill(sleep.pid)).toBe(true);
    await expect(again.wait()).rejects.toBeInstanceOf(CommandExitError);
    await expect(sleep.wait()).rejects.toBeInstanceOf(CommandExitError);
  });
});

describe('files', () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256);

  test('are written and read in every format', async () => {
    await sandbox.files.write('text', 'grüße\n');
    expect(await sandbox.files.read('text')).toBe('grüße\n');
    await sandbox.files.write('bytes', bytes.buffer);
    expect(await sandbox.files.read('bytes', { format: 'bytes' })).toEqual(bytes);
    await sandbox.files.write('blob', new Blob([bytes]));
    const blob = await sandbox.files.read('blob', { format: 'blob' });
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(bytes);
    await sandbox.files.write('stream', new Blob([bytes]).stream());
    const stream = await sandbox.files.read('stream', { format: 'stream' });
    expect(new Uint8Array(await new Response(stream).arrayBuffer())).toEqual(bytes);
    await sandbox.files.write('empty', '');
    expect(await sandbox.files.read('empty')).toBe('');
  });

  test('are written several at once, and compressed', async () => {
    const infos = await sandbox.files.write([
      { path: 'several/a', data: 'a' },
      { path: 'several/b', data: bytes.buffer },
    ]);
    expect(infos.map(({ path }) => path)).toEqual(['/home/user/several/a', '/home/user/several/b']);
    await sandbox.files.write('zipped', bytes.buffer, { gzip: true });
    expect(await sandbox.files.read('zipped', { format: 'bytes', gzip: true })).toEqual(bytes);
  });

  test('are listed, described, renamed and removed', async () => {
    expect(await sandbox.files.makeDir('tree/sub')).toBe(true);
    expect(await sandbox.files.makeDir('tree/sub')).toBe(false);
    await sandbox.files.write('tree/sub/file', '123');
    const entries = await sandbox.files.list('tree', { depth: 2 });
    expect(entries.map(({ path, type }) => `${type} ${path}`)).toEqual([
      'dir /home/user/tree/sub',
      'file /home/user/tree/sub/file',
    ]);
    expect(await sandbox.files.getInfo('tree/sub/file')).toMatchObject({
      size: 3,
      permissions: '-rw-r--r--',
    });
    await sandbox.files.rename('tree/sub/file', 'tree/renamed');
    expect(await sandbox.files.exists('tree/sub/file')).toBe(false);
    await sandbox.files.remove('tree');
    await expect(sandbox.files.read('tree/renamed')).rejects.toBeInstanceOf(FileNotFoundError);
  });
});

describe('terminals', () => {
  test('are created, typed into, resized and killed', async () => {
    let text = '';
    const terminal = await sandbox.pty.create({
      cols: 80,
      rows: 24,
      onData: (data) => {
        text += decoder.decode(data, { stream: true });
      },
    });
    const type = (line: string) => sandbox.pty.sendInput(terminal.pid, new TextEncoder().encode(line));
    await type('stty size\n');
    await expect.poll(() => text, { timeout: 30_000 }).toContain('24 80');
    await sandbox.pty.resize(terminal.pid, { cols: 120, rows: 40 });
    await type('stty size\n');
    await expect.poll(() => text, { timeout: 30_000 }).toContain('40 120');
    expect(await sandbox.pty.kill(terminal.pid)).toBe(true);
    await expect(terminal.wait()).rejects.toBeInstanceOf(CommandExitError);
  });

  test('are connected to again', async () => {
    const first = await sandbox.pty.create({ cols: 80, rows: 24, onData: () => {} });
    await first.disconnect();
    let text = '';
    const again = await sandbox.pty.connect(first.pid, {
      onData: (data) => {
        text += decoder.decode(data, { stream: true });
      },
    });
    await sandbox.pty.sendInput(again.pid, new TextEncoder().encode('echo re""ady; exit\n'));
    expect((await again.wait()).exitCode).toBe(0);
    expect(text).toContain('ready');
  });
});
