import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { findAccount } from '../../../src/local/envd/accounts.js';
import { withGroups } from '../../../src/local/envd/process/credentials.js';
import type { LocalServer } from '../../../src/local/local-server.js';
import { run, sh, stream, unary } from './support/rpc.js';
import { type Created, createSandbox, envdHeaders, startServer } from './support/server.js';

let server: LocalServer;
let sandbox: Created;
/** Whether the host gives a sandbox more than one uid. */
let real: boolean;

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server);
  real = (await exec('root', 'id -u')).stdout === '0\n';
});

const as = (name: string) => ({ authorization: `Basic ${Buffer.from(`${name}:`).toString('base64')}` });
const exec = (user: string, command: string, fields: Record<string, unknown> = {}) =>
  run(server, sandbox, sh(command, fields), { headers: as(user) });
const terminal = (user: string, command: string) =>
  run(
    server,
    sandbox,
    { process: { cmd: '/bin/sh', args: ['-c', command] }, pty: { size: { cols: 80, rows: 24 } } },
    { headers: as(user) },
  );

function needsRealUsers(context: TestContext): void {
  if (!real) context.skip('this host gives a sandbox one uid only');
}

test('users are those of /etc/passwd, each with its home', async () => {
  expect((await exec('user', 'echo $USER $LOGNAME ~; pwd')).stdout).toBe(
    'user user /home/user\n/home/user\n',
  );
  expect((await exec('root', 'echo $USER $LOGNAME ~')).stdout).toBe('root root /root\n');
  expect((await exec('nobody', 'echo $USER ~', { cwd: '/tmp' })).stdout).toBe('nobody /nonexistent\n');
});

test.each(['bob', '', 'user '])('%j is nobody', async (name) => {
  const { streamEnd } = await exec(name, 'true');
  expect(streamEnd.error).toMatchObject({ code: 'unauthenticated', message: `invalid username: '${name}'` });
  const health = await fetch(`${server.sandboxUrl}/health`, {
    headers: { ...envdHeaders(sandbox), ...as(name) },
  });
  expect(health.status).toBe(401);
});

test.each([`Basic ${Buffer.from('bob').toString('base64')}`, 'Basic !', 'Bearer bob'])(
  '%j names nobody, and so the default user',
  async (authorization) => {
    const { stdout } = await run(server, sandbox, sh('echo $USER'), { headers: { authorization } });
    expect(stdout).toBe('user\n');
  },
);

describe.each([
  ['pipes', exec],
  ['a terminal', terminal],
])('a program on %s', (_name, start) => {
  const output = async (user: string, command: string): Promise<string> => {
    const { stdout, stderr, pty } = await start(user, command);
    return (stdout + stderr + pty).replaceAll('\r', '');
  };

  test('has the ids of its user, its groups, and no others', async (context) => {
    needsRealUsers(context);
    expect(await output('user', 'id -u; id -g; id -G')).toBe('1000\n1000\n1000\n');
    expect(await output('root', 'id -u; id -g; id -G')).toBe('0\n0\n0\n');
    expect(await output('nobody', 'cd /; id -u; id -G')).toBe('65534\n65534\n');
  });

  test('has no capability unless it is root’s', async (context) => {
    needsRealUsers(context);
    const sets = await output('user', 'grep -E "Cap(Prm|Eff|Amb)" /proc/self/status');
    expect(sets.match(/\t0{16}\n/g)).toHaveLength(3);
    // So that no file of the host's programs brings one back either.
    expect(await output('user', 'grep NoNewPrivs /proc/self/status')).toBe('NoNewPrivs:\t1\n');
    expect(await output('root', 'grep CapEff /proc/self/status')).not.toMatch(/\t0{16}\n/);
  });

  test('of another user cannot touch envd', async (context) => {
    needsRealUsers(context);
    const envd = Number(await output('root', 'echo $PPID'));
    expect(envd).toBeGreaterThan(1);
    for (const what of [
      `kill -9 ${envd}`,
      'kill -9 1',
      `ls /proc/${envd}/fd`,
      `cat /proc/${envd}/environ`,
      `cat /proc/${envd}/mem`,
      'ls /run/envd',
      `echo 900 >/proc/${envd}/oom_score_adj`,
    ]) {
      expect(await output('user', `${what} 2>&1 && echo done`), what).toMatch(/denied|permitted/);
    }
    expect(await output('root', `ls /proc/${envd}/fd | wc -l`)).not.toBe('0\n');
    expect(await output('user', 'kill -9 -1 2>/dev/null; true')).toBe('');
    expect(await output('user', 'echo still here')).toBe('still here\n');
  });

  test('is the first to go when memory runs out', async () => {
    expect(await output('user', 'cat /proc/self/oom_score_adj')).toBe('100\n');
  });

  test('can be signalled, whoever’s it is', async () => {
    for (const user of ['user', 'root']) {
      const events = await stream(
        server,
        sandbox,
        'process.Process/Start',
        { ...(sh('exec sleep 300') as object), ...(start === terminal && { pty: {} }) },
        { headers: as(user) },
      );
      const { pid } = (await events.next()).event.start;
      await unary(server, sandbox, 'process.Process/SendSignal', { process: { pid }, signal: 9 });
      expect((await events.rest()).at(-1).event.end.status).toBe('signal: killed');
    }
  });

  test('may start where its user may go, and nowhere else', async (context) => {
    needsRealUsers(context);
    await exec('root', 'mkdir -p /root/a/b; chmod 711 /root; chmod 700 /root/a; chmod 755 /root/a/b');
    const from = async (user: string, cwd: string) => {
      const request = { process: { cmd: 'pwd', cwd }, ...(start === terminal && { pty: {} }) };
      const { streamEnd, stdout, pty } = await run(server, sandbox, request, { headers: as(user) });
      return streamEnd.error?.message ?? (stdout + pty).trim();
    };
    expect(await from('user', '/root')).toBe('/root');
    expect(await from('user', '/root/a')).toMatch(/error starting .*permission denied/);
    expect(await from('user', '/root/a/b')).toMatch(/error starting .*permission denied/);
    expect(await from('root', '/root/a/b')).toBe('/root/a/b');
  });
});

describe('supplementary groups', () => {
  const files = {
    passwd: () => '#user:x:1:1::/:\nbroken:x:one:1::/:\nuser:x:1000:100::/home/user:/bin/sh\n',
    group: () => 'users:x:100:user\nextra:x:4711:bob,user\nothers:x:4712:bob\n',
  };

  test('are those that name the user, beside its own', () => {
    expect(findAccount(files, 'user')).toEqual({
      name: 'user',
      uid: 1000,
      gid: 100,
      home: '/home/user',
      groups: [4711],
    });
    expect(findAccount(files, 'broken')).toBeUndefined();
  });

  test('reach the program', (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can change groups');
    const { command, ids } = withGroups({ uid: 65_534, gid: 65_534, groups: [4711] }, ['id']);
    expect(ids).toBeUndefined();
    const [file, ...args] = command;
    expect(execFileSync(file!, args, { encoding: 'utf8' })).toMatch(
      /^uid=65534\S* gid=65534\S* groups=65534\S*,4711\S*$|^uid=65534\S* gid=65534\S* groups=4711\S*$/m,
    );
  });
});

test('its output can be opened by name, by every user', async () => {
  for (const user of ['user', 'root']) {
    const { stdout, stderr } = await exec(user, 'echo out >/dev/stdout; echo err >/dev/stderr');
    expect([stdout, stderr]).toEqual(['out\n', 'err\n']);
  }
});

test('a terminal is its user’s, and can be opened by name', async () => {
  for (const user of ['user', 'root']) {
    const { pty } = await terminal(user, 'echo a >/dev/tty; echo b >"$(tty)"; test -O "$(tty)" && echo own');
    expect(pty).toBe('a\r\nb\r\nown\r\n');
  }
});

test('what the user’s programs make is theirs', async (context) => {
  needsRealUsers(context);
  await exec('user', 'echo x >mine');
  expect((await exec('root', 'stat -c "%U %G" /home/user/mine')).stdout).toBe('user user\n');
  expect((await exec('user', 'echo x >/root/not 2>&1')).end.exitCode).not.toBe(0);
});
