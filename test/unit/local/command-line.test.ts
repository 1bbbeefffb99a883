import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { hostProcesses, uniqueSleep } from './support/host-processes.js';
import { run as runIn, sh } from './support/rpc.js';
import { bundle, bundledEnvd, createSandbox } from './support/server.js';
import { until } from './support/until.js';

let cli: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  cli = await bundle('src/cli.ts', 'node_modules/e2b-edge/dist/local/cli/cli.mjs');
  mkdirSync(join(dirname(cli), '../envd'));
  copyFileSync(await bundledEnvd(), join(dirname(cli), '../envd/main.js'));
});

afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

interface Run {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exit: Promise<number | null>;
}

function start(...args: string[]): Run {
  // node-pty is looked for from the package; the tests' own is the one.
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, NODE_PATH: join(process.cwd(), 'node_modules') },
  });
  children.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  return { child, output, exit: new Promise((resolve) => child.once('close', resolve)) };
}

async function serve(...args: string[]): Promise<Run & { server: LocalServer }> {
  const run = start('serve', '--port', '0', '--json', ...args);
  await until('it listens', () => run.output.stdout.includes('\n') || run.child.exitCode !== null, 20_000);
  const printed = JSON.parse(run.output.stdout);
  expect(Object.keys(printed)).toEqual(['apiUrl', 'sandboxUrl', 'apiKey']);
  expect(printed.apiKey).toMatch(/^e2b_[0-9a-f]{40}$/);
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
      const { child, server, exit } = await serve('--isolation', isolation);
      const sleep = uniqueSleep();
      await runIn(server, await createSandbox(server), sh(`setsid -f ${sleep} >/dev/null 2>&1`));
      expect(hostProcesses(sleep)).toHaveLength(1);
      child.kill('SIGKILL');
      await exit;
      await until('the sandbox ended', () => hostProcesses(sleep).length === 0);
      const left = (): string[] => readdirSync(tmpdir()).filter((name) => name.includes(`-${child.pid}-`));
      expect(left()).toHaveLength(1);
      // The next one to start tidies up.
      await serve('--isolation', isolation);
      expect(left()).toEqual([]);
    },
  );

  test('prints lines to copy, and says when nothing is isolated', async () => {
    const run = start('serve', '--port', '0', '--isolation', 'none');
    await until('it listens', () => run.output.stdout.includes('Ctrl-C'), 20_000);
    expect(run.output.stdout).toMatch(/^export E2B_API_URL=http:\/\/127\.0\.0\.1:\d+$/m);
    expect(run.output.stdout).toMatch(/^export E2B_SANDBOX_URL=http:\/\/127\.0\.0\.1:\d+$/m);
    expect(run.output.stdout).toMatch(/^export E2B_API_KEY=e2b_[0-9a-f]{40}$/m);
    expect(run.output.stdout).toContain('NOT isolated');
  });

  test('a port in use is said so', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    const run = start('serve', '--port', String(port));
    expect(await run.exit).toBe(1);
    expect(run.output.stderr).toContain(`port ${port} is already in use`);
    other.close();
  });
});

test.each([
  [[], 'no command'],
  [['sevre'], "unknown command 'sevre'"],
  [['serve', 'more'], "unexpected argument 'more'"],
  [['serve', '--prot', '1'], "'--prot'"],
  [['serve', '--port', 'x'], '--port must be a number'],
  [['serve', '--port', '70000'], 'port must be'],
  [['serve', '--isolation', 'docker'], 'isolation must be one of'],
  [['serve', '--origin', 'localhost'], "origin 'localhost'"],
])('%j is refused with 2', async (args, words) => {
  const run = start(...args);
  expect(await run.exit).toBe(2);
  expect(run.output.stderr).toContain(words);
  expect(run.output.stdout).toBe('');
});

test('--help', async () => {
  const run = start('--help');
  expect(await run.exit).toBe(0);
  for (const option of ['--port', '--json', '--isolation', '--origin', '--version']) {
    expect(run.output.stdout).toContain(option);
  }
});
