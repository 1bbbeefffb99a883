import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { Sandbox } from '../../../src/control/sandbox.js';
import type { LocalServer } from '../../../src/local/local-server.js';
import type { DurableCommand } from '../../../src/sandbox/durable-command.js';
import { startServer } from '../local/support/server.js';
import { until } from '../local/support/until.js';

let server: LocalServer;
let sandbox: Sandbox;
const durable = { background: true, durable: true } as const;

const key = () => ({ apiUrl: server.apiUrl, sandboxUrl: server.sandboxUrl, apiKey: server.apiKey });

beforeAll(async () => {
  server = await startServer();
  sandbox = await Sandbox.create(key());
});

/** The readers of a command that run. */
async function readers({ durableId }: DurableCommand): Promise<string[]> {
  const find = `pgrep -f '[t]ail -c .*${durableId}/out' || true`;
  return (await sandbox.commands.run(find)).stdout.split('\n').filter(Boolean);
}

async function read(command: DurableCommand): Promise<string[]> {
  const hashes = { stdout: createHash('sha256'), stderr: createHash('sha256') };
  for await (const event of command) {
    if (event.type === 'gap') throw new Error('a gap');
    if (event.type !== 'exit') hashes[event.type].update(event.bytes);
  }
  return [hashes.stdout.digest('hex'), hashes.stderr.digest('hex')];
}

describe('the output of a durable command', () => {
  test('is had from the beginning, and from anywhere, by another program', async () => {
    const command = await sandbox.commands.run('printf öut; printf err >&2; exit 7', durable);
    const result = { exitCode: 7, error: 'exit status 7', stdout: 'öut', stderr: 'err' };
    expect(await command.finished()).toEqual(result);
    expect(command.offsets).toEqual({ stdout: 4, stderr: 3 });
    const other = await Sandbox.connect(sandbox.sandboxId, key());
    const attached = await other.commands.attach(command.durableId);
    expect(await attached.finished()).toEqual(result);
    const rest = await other.commands.attach(command.durableId, { from: { stdout: 3, stderr: 3 } });
    const bytes: number[] = [];
    for await (const event of rest)
      if (event.type === 'stdout' || event.type === 'stderr') bytes.push(...event.bytes);
    expect(bytes).toEqual([0x74]);
    const beyond = other.commands.attach(command.durableId, { from: { stderr: 4 } });
    await expect(beyond).rejects.toMatchObject({ code: 'offset_beyond_log' });
  });

  test('is the same to the byte when its reader is killed twenty times', { timeout: 60_000 }, async () => {
    const flood = (n: number) =>
      `{ for i in $(seq 19); do head -c 1000000 /dev/urandom; sleep 0.15; done; while [ ! -e enough ]; do sleep 0.02; done; head -c 1000000 /dev/urandom; } | tee >(sha256sum >sum${n})`;
    const command = await sandbox.commands.run(`${flood(1)} & ${flood(2)} >&2; wait; sleep 0.1`, {
      ...durable,
      maxRetainedBytes: 0,
    });
    const reading = read(command);
    for (let killed = 0; killed < 20; ) {
      for (const pid of await readers(command)) {
        const { stdout } = await sandbox.commands.run(`kill -9 ${pid} && echo 1 || true`);
        killed += Number(stdout);
      }
    }
    await sandbox.files.write('enough', '');
    const hashes = await reading;
    const sums = (await sandbox.commands.run('cat sum1 sum2')).stdout.match(/[0-9a-f]{64}/g);
    expect(hashes).toEqual(sums);
    expect(command.offsets).toEqual({ stdout: 20_000_000, stderr: 20_000_000 });
  });

  test('goes on where a loop was left, without a gap', async () => {
    const command = await sandbox.commands.run('for i in 1 2 3 4 5 6; do echo $i; sleep 0.05; done', durable);
    for await (const _event of command) break;
    await until('the end of the reader', async () => (await readers(command)).length === 0);
    expect(await command.finished()).toMatchObject({ stdout: '1\n2\n3\n4\n5\n6\n' });
    expect(command.gaps).toBe(0);
  });

  test('beyond its cap is thrown away and declared, and holds nobody up', async () => {
    const command = await sandbox.commands.run('head -c 100000 /dev/zero; echo said >&2', {
      ...durable,
      maxLogBytes: 4096,
    });
    const result = await command.finished();
    expect(result).toMatchObject({ exitCode: 0, gaps: 1, stderr: 'said\n' });
    expect(result.stdout).toHaveLength(4096);
  });

  test('that is exactly as long as the cap has no gap', async () => {
    const command = await sandbox.commands.run('head -c 4096 /dev/zero', { ...durable, maxLogBytes: 4096 });
    expect(await command.finished()).not.toHaveProperty('gaps');
  });

  test('is private, and its space is set aside', async () => {
    const command = await sandbox.commands.run('echo x; sleep 60', { ...durable, maxLogBytes: 1 << 20 });
    expect(command.reserved).toBe(true);
    const log = `~/.e2b-edge/durable/${command.durableId}`;
    const { stdout } = await sandbox.commands.run(
      `stat -c '%a' ${log} ${log}/out ${log}/err; stat -c '%b' ${log}/out`,
    );
    const [directory, out, err, blocks] = stdout.trim().split('\n');
    expect([directory, out, err]).toEqual(['700', '600', '600']);
    expect(Number(blocks) * 512).toBeGreaterThanOrEqual(1 << 20);
    await command.kill();
  });
});

describe('the end of a durable command', () => {
  test.each([
    ['exit 0', { exitCode: 0 }],
    ['exit 137', { exitCode: 137, error: 'exit status 137' }],
    ['kill -9 $$', { exitCode: -1, error: 'signal: killed' }],
    ['kill -15 $$', { exitCode: -1, error: 'signal: terminated' }],
    ['kill -11 $$', { exitCode: -1, error: 'signal: segmentation fault' }],
    ['no-such-program', { exitCode: 127, error: 'exit status 127' }],
  ])('of %j', async (line, end) => {
    const command = await sandbox.commands.run(line, durable);
    expect(await command.finished()).toMatchObject(end);
    const [info] = (await sandbox.commands.listDurable()).filter((d) => d.durableId === command.durableId);
    expect(info).toMatchObject({ command: line, running: false, ...end });
  });

  test('nobody knows when what ran it was killed', async () => {
    const command = await sandbox.commands.run('echo x; sleep 60', durable);
    await until('the output', () => command.stdout === 'x\n');
    await sandbox.commands.kill(command.pid, { group: true });
    await expect(command.finished()).rejects.toMatchObject({ code: 'exit_unknown' });
    expect(command.stdout).toBe('x\n');
    const attached = await sandbox.commands.attach(command.durableId);
    await expect(attached.finished()).rejects.toMatchObject({ code: 'exit_unknown' });
  });

  test('is brought about by kill, also for all that it has started', async () => {
    const command = await sandbox.commands.run('sleep 1000 & echo $!; wait', durable);
    await until('the output', () => command.stdout.endsWith('\n'));
    expect(await command.kill({ group: true, killSignal: 'SIGTERM' })).toBe(true);
    expect(await command.finished()).toMatchObject({ exitCode: -1, error: 'signal: terminated' });
    const alive = sandbox.commands.run(`kill -0 ${command.stdout.trim()}`);
    await expect(alive).rejects.toMatchObject({ code: 'command_exit' });
    expect(await command.kill()).toBe(false);
  });
});

describe('a durable command', () => {
  test('reads its input', async () => {
    const command = await sandbox.commands.run('cat', { ...durable, stdin: true });
    await command.sendStdin('one ');
    const attached = await sandbox.commands.attach(command.durableId);
    await attached.sendStdin('two');
    await attached.closeStdin();
    expect(await command.finished()).toMatchObject({ stdout: 'one two' });
    expect(
      (await sandbox.commands.run('wc -c', { ...durable, stdin: 'abc' }).then((c) => c.wait())).stdout,
    ).toBe('3\n');
  });

  test('has its own variables, directory and file mode', async () => {
    const line = 'echo "$HOME $A $(pwd)"; touch new; stat -c %a new';
    const plain = await sandbox.commands.run(line, { cwd: '/tmp', envs: { A: 'a', HOME: '/tmp' } });
    const command = await sandbox.commands.run(line, {
      ...durable,
      cwd: '/tmp',
      envs: { A: 'a', HOME: '/tmp' },
    });
    expect((await command.wait()).stdout).toBe(plain.stdout);
  });

  test('is listed as it was asked for, and those who help it are not', async () => {
    const command = await sandbox.commands.run('echo x; sleep 60', durable);
    await until('the output', () => command.stdout === 'x\n');
    expect(await readers(command)).toHaveLength(1);
    const list = await sandbox.commands.list();
    expect(list.filter(({ args }) => args.join().includes('e2b-edge'))).toEqual([]);
    expect(list.filter(({ pid }) => pid === command.pid)).toEqual([
      {
        pid: command.pid,
        durableId: command.durableId,
        cmd: '/bin/bash',
        args: ['-l', '-c', 'echo x; sleep 60'],
        envs: {},
      },
    ]);
    await expect(command.remove()).rejects.toMatchObject({ code: 'durable_running' });
    await command.kill();
    await command.finished();
    expect(await readers(command)).toEqual([]);
    expect(await command.remove()).toBe(true);
    expect(await command.remove()).toBe(false);
    const attached = sandbox.commands.attach(command.durableId);
    await expect(attached).rejects.toMatchObject({ code: 'process_not_found' });
  });

  test('that cannot be is refused with what is missing', async () => {
    await sandbox.commands.run(
      'mkdir bare && ln -s $(command -v sh find grep mkfifo mv rm wc date cat mkdir) bare/',
    );
    const run = (envs: Record<string, string>) => sandbox.commands.run('true', { ...durable, envs });
    const { stdout } = await sandbox.commands.run('printf %s "$PWD/bare"');
    const bare = await run({ PATH: stdout }).catch((error: unknown) => error);
    expect(bare).toMatchObject({ code: 'durable_unavailable', message: expect.stringContaining('no tail') });
    await sandbox.commands.run('printf "#!/bin/sh\\nexit 1\\n" >bare/tail; chmod +x bare/tail');
    const other = await run({ PATH: stdout }).catch((error: unknown) => error);
    expect(other).toMatchObject({ message: expect.stringContaining('no tail(GNU)') });
  });

  test('and a terminal that cannot be: auto takes another one', async () => {
    await sandbox.commands.run('mkdir plain && ln -s /usr/bin/* plain/ && rm plain/script');
    const { stdout: PATH } = await sandbox.commands.run('printf %s "$PWD/plain"');
    const size = { cols: 80, rows: 24, envs: { PATH } };
    await expect(sandbox.pty.create({ ...size, durable: true })).rejects.toMatchObject({
      code: 'durable_unavailable',
      message: expect.stringContaining('no script(util-linux)'),
    });
    const terminal = await sandbox.pty.create({ ...size, durable: 'auto' });
    expect(terminal.durable).toBe(false);
    await terminal.kill();
  });

  test('takes the log without its space where fallocate is missing, and says so', async () => {
    await sandbox.commands.run('mkdir some && ln -s /usr/bin/* some/ && rm some/fallocate');
    const { stdout: PATH } = await sandbox.commands.run('printf %s "$PWD/some"');
    const command = await sandbox.commands.run('echo x', { ...durable, envs: { PATH } });
    expect(command.reserved).toBe(false);
    expect(await command.wait()).toMatchObject({ stdout: 'x\n' });
  });

  test('refuses what it cannot do', async () => {
    const { commands } = sandbox;
    await expect(commands.run('true', { durable: true })).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(commands.run('true', { ...durable, timeoutMs: 5 })).rejects.toThrow('timeoutMs');
    await expect(commands.attach('../..')).rejects.toThrow('durableId');
    await expect(commands.run('true', { ...durable, maxLogBytes: 1 })).rejects.toThrow('maxLogBytes');
  });
});
