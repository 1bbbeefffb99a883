import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { hostProcesses, uniqueSleep } from './support/host-processes.js';
import { run, sh, stream, unary } from './support/rpc.js';
import { api, type Created, createSandbox, envdHeaders, startServer } from './support/server.js';
import { until } from './support/until.js';

let server: LocalServer;
let sandbox: Created;

beforeAll(async () => {
  server = await startServer({ isolation: 'bubblewrap' });
  sandbox = await createSandbox(server);
});

const shell = async (command: string): Promise<string> => {
  const { stdout, stderr } = await run(server, sandbox, sh(command));
  return stdout + stderr;
};

const asRoot = { headers: { authorization: `Basic ${btoa('root:')}` } };

describe('inside, the host is out of sight', () => {
  test('its files', async () => {
    expect((await shell('ls /')).split('\n').filter(Boolean)).toEqual(
      expect.not.arrayContaining(['boot', 'mnt', 'srv', 'sys', 'work']),
    );
    expect(await shell('ls -A /home')).toBe('user\n');
    expect(await shell('ls -A /home/user')).not.toContain('package.json');
    expect(await shell('cat /etc/shadow; ls -d /etc/ssh /etc/ssl/private /etc/sudoers')).not.toMatch(
      /root:|^\//m,
    );
    expect(await shell('ls /etc/ssl')).toBe('certs\nopenssl.cnf\n');
    expect(await shell('ls -A /tmp /var/tmp')).toBe('/tmp:\n\n/var/tmp:\n');
    const { body } = await unary(server, sandbox, 'filesystem.Filesystem/Stat', { path: process.cwd() });
    expect(body.code).toBe('not_found');
  });

  test('a symlink leads nowhere either', async () => {
    const secret = `${process.cwd()}/package.json`;
    await shell(`ln -s ${secret} secret; ln -s /proc/1/root up`);
    const response = await fetch(`${server.sandboxUrl}/files?path=secret`, { headers: envdHeaders(sandbox) });
    expect(response.status).toBe(404);
    expect(await shell(`cat up${secret}`)).toMatch(/No such file|Permission denied/);
  });

  test('its processes', async () => {
    expect(process.pid).toBeGreaterThan(1);
    expect(await shell(`kill -0 ${process.pid}; ls -d /proc/${process.pid}`)).toContain('No such');
    const comms = await shell('cat /proc/[0-9]*/comm');
    expect(comms.split('\n').filter((name) => !/^(bwrap|node|MainThread|sh|cat|)$/.test(name))).toEqual([]);
  });

  test('its network, loopback included', async () => {
    const host = createServer((_request, response) => response.end('reached'));
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    const { port } = host.address() as AddressInfo;
    expect(await shell(`bash -c 'echo > /dev/tcp/127.0.0.1/${port}' && echo reached`)).toContain('refused');
    expect(await shell('cat /proc/net/dev | tail -n +3 | cut -d: -f1')).toMatch(/^\s*lo\n(\s*tap0\n)?$/);
    host.close();
    const own =
      'import socket as s; a=s.create_server(("127.0.0.1",0)); b=s.create_connection(a.getsockname()); print("up")';
    expect(await shell(`python3 -c '${own}'`)).toBe('up\n');
  });

  test('its environment', async () => {
    const environ = await shell('tr "\\0" "\\n" </proc/1/environ; tr "\\0" "\\n" </proc/2/environ');
    expect(environ).not.toMatch(/VITEST|NODE_ENV|npm_/);
    expect(environ).not.toContain(process.cwd());
  });

  test('its name and users', async () => {
    expect(await shell('uname -n; id -un; id -u; hostname')).toBe('e2b-local\nuser\n1000\ne2b-local\n');
  });
});

describe('inside, nothing of the host can be changed', () => {
  test('its programs', async () => {
    expect(await shell('touch /usr/bin/x; touch /etc/x; touch /run/e2b-edge/x')).toMatch(
      /^(touch: .*: Read-only file system\n){3}$/,
    );
  });

  test('its kernel', async () => {
    const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    const answer = await shell(
      `printf %s '${before.trim()}' > /proc/sys/kernel/core_pattern && echo written`,
    );
    expect(answer).not.toContain('written');
    expect(await shell('grep ^CapEff /proc/self/status; mount -t tmpfs x /tmp')).toMatch(
      /CapEff:\t0+\n.*(permitted|denied|must be)/s,
    );
  });

  test('its terminal: envd has none', async () => {
    expect(await shell('echo x >/dev/tty')).toMatch(/No such device|cannot/);
  });
});

test('sandboxes do not see one another', async () => {
  const other = await createSandbox(server);
  await shell('echo mine > /tmp/mine; echo mine > ~/mine');
  expect((await run(server, other, sh('ls /tmp ~'))).stdout).not.toContain('mine');
});

describe('the end', () => {
  test('of a sandbox takes every process along, also those that went their own way', async () => {
    const one = await createSandbox(server);
    const sleep = uniqueSleep();
    await run(server, one, sh(`setsid -f ${sleep} >/dev/null 2>&1 </dev/null`));
    await stream(server, one, 'process.Process/Start', {
      process: { cmd: '/bin/sh', args: ['-c', sleep] },
      pty: {},
    });
    await until('they run', () => hostProcesses(sleep).length >= 2);
    await api(server, 'DELETE', `/sandboxes/${one.sandboxID}`);
    expect(hostProcesses(sleep)).toEqual([]);
  });

  test('also when a program stopped envd', async () => {
    const one = await createSandbox(server);
    const sleep = uniqueSleep();
    const events = await stream(
      server,
      one,
      'process.Process/Start',
      sh(`sleep 0.2; kill -STOP 2; ${sleep}`),
      asRoot,
    );
    await until('it runs', () => hostProcesses(sleep).length > 0);
    expect((await api(server, 'DELETE', `/sandboxes/${one.sandboxID}`)).status).toBe(204);
    await until('it ended', () => hostProcesses(sleep).length === 0);
    await expect(events.rest()).rejects.toThrow();
  });

  test('of envd itself is the end of the sandbox', async () => {
    const one = await createSandbox(server);
    const events = await stream(
      server,
      one,
      'process.Process/Start',
      sh('sleep 0.2; kill -9 2; sleep 300'),
      asRoot,
    );
    await expect(events.rest()).rejects.toThrow();
    await until('the sandbox is gone', async () => {
      const health = await fetch(`${server.sandboxUrl}/health`, { headers: envdHeaders(one) });
      return health.status === 502;
    });
    expect((await api(server, 'GET', `/sandboxes/${one.sandboxID}`)).status).toBe(404);
  });

  test('of the server leaves no process and no file', async () => {
    const { startWithEnvd } = await import('../../../src/local/local-server.js');
    const { bundledEnvd } = await import('./support/server.js');
    const before = readdirSync(tmpdir());
    const short = await startWithEnvd({ isolation: 'bubblewrap' }, await bundledEnvd());
    const sleep = uniqueSleep();
    for (let i = 0; i < 3; i++) {
      const one = await createSandbox(short);
      await run(short, one, sh(`setsid -f ${sleep} >/dev/null 2>&1; mkdir -p deep/x; chmod 000 deep`));
    }
    const workspace = readdirSync(tmpdir()).find(
      (name) => name.startsWith('e2b-edge-') && name.includes(`-${process.pid}-`) && !before.includes(name),
    )!;
    expect(hostProcesses(workspace).length).toBeGreaterThanOrEqual(3);
    await short.close();
    expect(hostProcesses(sleep)).toEqual([]);
    expect(hostProcesses(workspace)).toEqual([]);
    expect(readdirSync(tmpdir())).not.toContain(workspace);
    await short.close();
  });
});
