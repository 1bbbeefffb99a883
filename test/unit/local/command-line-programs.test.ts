import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { runCli, startCli, startInTerminal, type Variables, variablesOf } from './support/cli.js';
import { api, type Created, createSandbox, startServer } from './support/server.js';
import { until } from './support/until.js';

let server: LocalServer;
let sandbox: Created;
let id: string;
let variables: Variables;

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server, { timeout: 600 });
  id = sandbox.sandboxID;
  variables = variablesOf(server);
});

async function ids(): Promise<string[]> {
  const all = (await (await api(server, 'GET', '/v2/sandboxes')).json()) as { sandboxID: string }[];
  return all.map(({ sandboxID }) => sandboxID);
}

describe('exec', () => {
  test('keeps output and errors apart, and ends with the program’s code', async () => {
    const run = await runCli(['exec', id, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'], variables);
    expect(run).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  test('passes arguments on as they are', async () => {
    const odd = ["it's", '$HOME', 'a  b', '', '*', '`id`', 'line\nbreak', '-n', '\\', 'ü'];
    const run = await runCli(['exec', id, '--', 'printf', '[%s]', ...odd], variables);
    expect(run.stdout).toBe(odd.map((text) => `[${text}]`).join(''));
  });

  test('pipes bytes through', async () => {
    const bytes = randomBytes(3 << 20);
    const run = await runCli(['exec', id, '--', 'sha256sum'], variables, bytes);
    expect(run.stdout).toBe(`${createHash('sha256').update(bytes).digest('hex')}  -\n`);
    const back = await startCli(['exec', id, '--', 'head', '-c', '5000000', '/dev/urandom'], variables);
    const hash = createHash('sha256');
    let length = 0;
    back.child.stdout?.removeAllListeners('data');
    back.child.stdout?.setEncoding('latin1').on('data', (chunk: string) => {
      hash.update(chunk, 'latin1');
      length += chunk.length;
    });
    back.child.stdin?.end();
    expect(await back.exit).toBe(0);
    expect(length).toBe(5_000_000);
  });

  test('loses nothing of a program that has ended at once', async () => {
    for (let i = 0; i < 5; i++) {
      const run = await runCli(['exec', id, '--', 'echo', String(i)], variables);
      expect(run).toMatchObject({ code: 0, stdout: `${i}\n` });
    }
  });

  test('has user, directory and variables', async () => {
    const args = [
      'exec',
      id,
      '--user',
      'root',
      '--cwd',
      '/tmp',
      '--env',
      'A=1=2',
      '--',
      'sh',
      '-c',
      'pwd; echo $A',
    ];
    expect((await runCli(args, variables)).stdout).toBe('/tmp\n1=2\n');
  });

  test('tells it all in JSON', async () => {
    const run = await runCli(
      ['exec', id, '--json', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'],
      variables,
    );
    expect(run.code).toBe(3);
    expect(JSON.parse(run.stdout)).toEqual({ sandboxId: id, exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  test('creates a sandbox and kills it, where no id is given', async () => {
    const before = await ids();
    const run = await runCli(['exec', '--', 'sh', '-c', 'echo $E2B_SANDBOX_ID; exit 4'], variables);
    expect(run.code).toBe(4);
    expect(run.stderr).toContain(`created sandbox ${run.stdout.trim()}, which is killed at the end`);
    expect(await ids()).toEqual(before);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('passes %s on, and ends as a shell would say', async (signal, code) => {
    const run = await startCli(['exec', id, '--', 'sh', '-c', 'echo ready; exec sleep 600'], variables);
    await until('it runs', () => run.output.stdout.includes('ready'));
    run.child.kill(signal);
    expect(await run.exit).toBe(code);
  });

  test('leaves no sandbox behind when it is stopped while it creates one', async () => {
    const before = await ids();
    const run = await startCli(['exec', '--', 'sleep', '600'], variables);
    await until('there is one', async () => (await ids()).length > before.length);
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(143);
    expect(await ids()).toEqual(before);
  });

  test('lets a program answer a signal, and kills it at the second', async () => {
    const line = "trap 'echo caught' TERM; echo ready; while :; do sleep 0.1; done";
    const run = await startCli(['exec', id, '--', 'bash', '-c', line], variables);
    await until('it runs', () => run.output.stdout.includes('ready'));
    run.child.kill('SIGTERM');
    await until('it caught it', () => run.output.stdout.includes('caught'));
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(137);
  });

  test('ends its program when nobody reads any more', async () => {
    const run = await startCli(['exec', id, '--', 'yes', 'marker-of-a-reader'], variables);
    await until('it prints', () => run.output.stdout.length > 0);
    run.child.stdout?.destroy();
    expect(await run.exit).toBe(141);
    const left = await runCli(['exec', id, '--', 'pgrep', '-cf', '^yes marker-of'], variables);
    expect(left.stdout).toBe('0\n');
  });

  test('says what could not be started: 125, or 127 and 126 as shells do', async () => {
    expect(await runCli(['exec', 'i00000000000000000000', '--', 'ls'], variables)).toMatchObject({
      code: 125,
    });
    expect(await runCli(['exec', id, '--', 'no-such-program'], variables)).toMatchObject({ code: 127 });
    expect(await runCli(['exec', id, '--', '/etc'], variables)).toMatchObject({ code: 126 });
    expect(await runCli(['exec', id, '--cwd', '/no/such', '--', 'ls'], variables)).toMatchObject({
      code: 125,
      stderr: "e2b-edge: cwd '/no/such' does not exist\n",
    });
    const wrong = await runCli(['exec', id, '--', 'ls'], {
      ...variables,
      E2B_API_KEY: `e2b_${'0'.repeat(40)}`,
    });
    expect(wrong.code).toBe(125);
    expect(wrong.stderr).toContain('invalid API key');
    const nobody = await runCli(['exec', id, '--', 'ls'], {
      ...variables,
      E2B_API_URL: 'http://127.0.0.1:9',
    });
    expect(nobody.code).toBe(125);
  });
});

describe('list and kill', () => {
  test('name sandboxes, and end them', async () => {
    const doomed = [await createSandbox(server), await createSandbox(server)];
    const { stdout } = await runCli(['list'], variables);
    expect(stdout).toMatch(/^SANDBOX +TEMPLATE +STATE +STARTED +ENDS\n/);
    for (const { sandboxID } of doomed)
      expect(stdout).toMatch(new RegExp(`^${sandboxID}  base +running `, 'm'));
    const [first, second] = doomed.map(({ sandboxID }) => sandboxID);
    expect(await runCli(['kill', first!], variables)).toEqual({ code: 0, stdout: `${first}\n`, stderr: '' });
    const both = await runCli(['kill', first!, second!, '--json'], variables);
    expect(both.code).toBe(1);
    expect(JSON.parse(both.stdout)).toEqual({ killed: [second], missing: [first] });
    expect(await ids()).toEqual([id]);
  });

  test('of another server end all of them', async () => {
    const other = await startServer();
    await createSandbox(other);
    await createSandbox(other);
    const { code, stdout } = await runCli(['kill', '--all', '--json'], variablesOf(other));
    expect(code).toBe(0);
    expect(JSON.parse(stdout).killed).toHaveLength(2);
    expect(await (await api(other, 'GET', '/v2/sandboxes')).json()).toEqual([]);
  });
});

describe('shell', () => {
  test('is a terminal: size, keys, colours, Ctrl-C, exit code', async () => {
    const shell = await startInTerminal(['shell', id], variables);
    shell.send('stty size; tty; echo $TERM\r');
    await shell.shows('30 100');
    await shell.shows('/dev/pts/');
    await shell.shows('xterm-256color');
    shell.resize(120, 40);
    // The size goes by another way than the keys.
    shell.send(`until stty size | grep -q '40 120'; do sleep 0.1; done; echo siz"ed"\r`);
    await shell.shows('sized');
    shell.send('sleep 600\r');
    await shell.shows('sleep 600');
    shell.send('\u0003');
    await shell.shows('^C');
    shell.send('echo code=$?\r');
    await shell.shows('code=130');
    shell.send('exit 9\r');
    expect(await shell.end).toEqual({ code: 9, restored: true });
  });

  test('takes a new sandbox along', async () => {
    const before = await ids();
    const shell = await startInTerminal(['shell'], variables);
    await shell.shows('created sandbox');
    shell.send('echo $E2B_TEMPLATE_ID\r');
    await shell.shows('\rbase');
    shell.send('\u0004');
    expect(await shell.end).toMatchObject({ restored: true });
    expect(await ids()).toEqual(before);
  });

  test.each([
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const)('leaves the terminal as it was, and no shell behind, at %s', async (_name, number) => {
    const shell = await startInTerminal(['shell', id, '--env', 'MARK=1'], variables);
    shell.send('echo rea"dy"\r');
    await shell.shows('ready');
    shell.signal(number);
    expect(await shell.end).toEqual({ code: 137, restored: true });
  });

  test('ends with its sandbox, and says so', async () => {
    const doomed = await createSandbox(server);
    const shell = await startInTerminal(['shell', doomed.sandboxID], variables);
    shell.send('echo rea"dy"\r');
    await shell.shows('ready');
    await api(server, 'DELETE', `/sandboxes/${doomed.sandboxID}`);
    const { code, restored } = await shell.end;
    expect(restored).toBe(true);
    expect(code).not.toBe(0);
  });

  test('can be left when its server does not come back', async () => {
    const gone = await startServer();
    const its = await createSandbox(gone);
    const shell = await startInTerminal(['shell', its.sandboxID], variablesOf(gone));
    shell.send('echo rea"dy"\r');
    await shell.shows('ready');
    await gone.close();
    await shell.shows('the connection is lost');
    shell.send('\u0003');
    expect(await shell.end).toEqual({ code: 130, restored: true });
  });
});
