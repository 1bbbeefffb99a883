import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { builtCli, type Run, runCli, runtimeDirectory, startCli, type Variables } from './support/cli.js';
import { hostProcesses, uniqueSleep } from './support/host-processes.js';
import { run as runIn, sh } from './support/rpc.js';
import { createSandbox } from './support/server.js';
import { until } from './support/until.js';

async function serve(args: string[] = [], variables?: Variables): Promise<Run & { server: LocalServer }> {
  const run = await startCli(['serve', '--port', '0', '--json', ...args], variables);
  await until('it listens', () => run.output.stdout.includes('\n') || run.child.exitCode !== null, 20_000);
  const printed = JSON.parse(run.output.stdout);
  expect(Object.keys(printed)).toEqual(['apiUrl', 'sandboxUrl', 'apiKey', 'domain']);
  expect(printed.apiKey).toMatch(/^e2b_[0-9a-f]+$/);
  return { ...run, server: printed };
}

describe('serve', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('ends everything on %s', async (signal) => {
    const { child, server, exit } = await serve();
    const sleep = uniqueSleep();
    await runIn(server, await createSandbox(server), sh(`setsid -f ${sleep} >/dev/null 2>&1`));
    expect(hostProcesses(sleep)).toHaveLength(1);
    child.kill(signal);
    expect(await exit).toBe(0);
    expect(hostProcesses(sleep)).toEqual([]);
  });

  test('ends in order when Ctrl-C comes twice, from the terminal and from npx', async () => {
    const { child, server, exit } = await serve();
    await createSandbox(server);
    child.kill('SIGINT');
    await delay(5);
    child.kill('SIGINT');
    expect(await exit).toBe(0);
    expect(readdirSync(tmpdir()).filter((name) => name.includes(`-${child.pid}-`))).toEqual([]);
  });

  test.each(['bubblewrap', 'none'])(
    'takes the sandboxes along when it is killed outright (%s)',
    async (isolation) => {
      const { child, server, exit } = await serve(['--isolation', isolation]);
      const sleep = uniqueSleep();
      await runIn(server, await createSandbox(server), sh(`setsid -f ${sleep} >/dev/null 2>&1`));
      expect(hostProcesses(sleep)).toHaveLength(1);
      child.kill('SIGKILL');
      await exit;
      await until('the sandbox ended', () => hostProcesses(sleep).length === 0);
      const left = (): string[] => readdirSync(tmpdir()).filter((name) => name.includes(`-${child.pid}-`));
      expect(left()).toHaveLength(1);
      // The next one to start tidies up.
      await serve(['--isolation', isolation]);
      expect(left()).toEqual([]);
    },
  );

  test('prints lines to copy, and says when nothing is isolated', async () => {
    const run = await startCli(['serve', '--port', '0', '--isolation', 'none']);
    await until('it listens', () => run.output.stdout.includes('Ctrl-C'), 20_000);
    expect(run.output.stdout).toMatch(/^export E2B_API_URL=http:\/\/localhost:\d+$/m);
    expect(run.output.stdout).toMatch(/^export E2B_SANDBOX_URL=http:\/\/localhost:\d+$/m);
    expect(run.output.stdout).toMatch(/^export E2B_API_KEY=e2b_[0-9a-f]{40}$/m);
    expect(run.output.stdout).toMatch(/^export E2B_DOMAIN=localhost:\d+$/m);
    expect(run.output.stdout).toContain('NOT isolated');
  });

  test('takes its key, its host and its templates from the command line', async () => {
    const directory = runtimeDirectory();
    const config = join(directory, 'config.json');
    writeFileSync(config, JSON.stringify({ templates: { mine: { envs: { WHOSE: 'mine' } } } }));
    const key = `e2b_${'ab'.repeat(20)}`;
    const { server } = await serve(['--api-key', key, '--host', '127.0.0.1', '--config', config]);
    expect(server.apiKey).toBe(key);
    expect(server.apiUrl).toMatch(/^http:\/\/127\.0\.0\.1:/);
    const sandbox = await createSandbox(server, { templateID: 'mine' });
    expect((await runIn(server, sandbox, sh('echo $WHOSE'))).stdout).toBe('mine\n');
  });

  test('takes any key only when told to', async () => {
    for (const [args, status] of [
      [[], 401],
      [['--any-key'], 200],
    ] as const) {
      const { server } = await serve([...args]);
      const headers = { 'x-api-key': `e2b_${'0'.repeat(40)}` };
      expect((await fetch(`${server.apiUrl}/v2/sandboxes`, { headers })).status).toBe(status);
    }
  });

  test('a port in use is said so', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    const run = await runCli(['serve', '--port', String(port)]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`port ${port} is already in use`);
    other.close();
  });
});

describe('a server is found by other commands', () => {
  test('of the same user, the youngest first, and while it runs', async () => {
    const variables = { XDG_RUNTIME_DIR: runtimeDirectory() };
    expect((await runCli(['list'], variables)).stderr).toContain('no server: start one by `e2b-edge serve`');
    const older = await serve([], variables);
    const younger = await serve([], variables);
    const { sandboxID } = await createSandbox(younger.server);
    const ids = async (): Promise<string[]> => {
      const { stdout } = await runCli(['list', '--json'], variables);
      return JSON.parse(stdout).map((sandbox: { sandboxId: string }) => sandbox.sandboxId);
    };
    expect(await ids()).toEqual([sandboxID]);
    younger.child.kill('SIGKILL');
    await younger.exit;
    expect(await ids()).toEqual([]);
    older.child.kill('SIGTERM');
    await older.exit;
    expect(readdirSync(join(variables.XDG_RUNTIME_DIR, 'e2b-edge'))).toEqual([]);
    expect((await runCli(['list'], variables)).code).toBe(1);
  });

  test('by a file that nobody else reads', async () => {
    const runtime = runtimeDirectory();
    const { child } = await serve([], { XDG_RUNTIME_DIR: runtime });
    const directory = join(runtime, 'e2b-edge');
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, `${child.pid}.json`)).mode & 0o777).toBe(0o600);
  });

  test('but not by one that others can write', async () => {
    const runtime = runtimeDirectory();
    mkdirSync(join(runtime, 'e2b-edge'), { mode: 0o755 });
    const found = await runCli(['list'], { XDG_RUNTIME_DIR: runtime });
    expect(found.code).toBe(1);
    expect(found.stderr).toContain('must be a directory that is yours alone');
    const { output } = await serve([], { XDG_RUNTIME_DIR: runtime });
    expect(output.stderr).toContain('other commands will not find this server');
  });
});

test.each([
  [[], 'no command'],
  [['sevre'], "unknown command 'sevre'"],
  [['help', 'sevre'], "unknown command 'sevre'"],
  [['serve', 'more'], "'more'"],
  [['serve', '--prot', '1'], "'--prot'"],
  [['serve', '--port', 'x'], '--port must be a number'],
  [['serve', '--port', '70000'], 'port must be'],
  [['serve', '--host', '0.0.0.0'], 'whoever reaches it gets a shell'],
  [['serve', '--isolation', 'docker'], 'isolation must be one of'],
  [['serve', '--origin', 'localhost'], "origin 'localhost'"],
  [['serve', '--api-key', 'secret'], "'e2b_' and hexadecimal digits"],
  [['serve', '--config', '/nowhere.json'], '/nowhere.json cannot be read'],
  [['list', 'x'], "'x'"],
  [['kill'], 'no id given'],
  [['kill', 'i0', '--all'], 'not both'],
  [['exec'], 'no program given'],
  [['exec', 'i0', 'ls'], 'no program given'],
  [['exec', 'i0', 'i1', '--', 'ls'], "unexpected argument 'i1'"],
  [['exec', '--env', 'x', '--', 'ls'], 'NAME=VALUE'],
  [['exec', 'i0', '--template', 'base', '--', 'ls'], '--template'],
  [['shell', '--', 'ls'], 'use exec'],
  [['shell'], 'this is no terminal'],
  [['doctor', '--now'], "'--now'"],
])('%j is refused with 2', async (args, words) => {
  const run = await runCli(args);
  expect(run.stderr).toContain(words);
  expect(run.code).toBe(2);
  expect(run.stdout).toBe('');
});

describe('help', () => {
  test('has every command', async () => {
    const { code, stdout } = await runCli(['--help']);
    expect(code).toBe(0);
    for (const command of ['serve', 'list', 'exec', 'shell', 'kill', 'doctor'])
      expect(stdout).toContain(`  ${command} `);
  });

  test.each(['serve', 'list', 'exec', 'shell', 'kill', 'doctor'])('of %s has examples', async (command) => {
    const { code, stdout } = await runCli([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: e2b-edge ${command}`));
    expect(stdout).toMatch(new RegExp(`Examples:\\n(.*\\n)*.*e2b-edge ${command}`));
    expect(stdout).toBe((await runCli(['help', command])).stdout);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  test('of a program is the program’s', async () => {
    const { stderr } = await runCli(['exec', 'i0', '--', 'ls', '--help']);
    expect(stderr).toContain('no server');
  });
});

test('--version', async () => {
  await builtCli();
  expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('doctor tells what this machine gives', async () => {
  const { code, stdout } = await runCli(['doctor', '--json']);
  const report = JSON.parse(stdout);
  expect(code).toBe(report.isolation === 'none' ? 1 : 0);
  expect(report.items.length).toBeGreaterThan(3);
  const text = await runCli(['doctor']);
  for (const { name, detail } of report.items) expect(text.stdout).toContain(`${name}: ${detail}`);
});
