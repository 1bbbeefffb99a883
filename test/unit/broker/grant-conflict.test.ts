import { describe, expect, test } from 'vitest';
import { parseGrant } from '../../../src/broker/grant.js';
import { commandSources, requireSafePlaces, requireSound } from '../../../src/broker/grant-conflict.js';
import type { ExactCommand, Grant } from '../../../src/wire/session.js';
import { refusal, startHarness } from './support/harness.js';

const sound = (grant: Grant) => () => requireSound(parseGrant(grant));
const writing = (prefix: string): NonNullable<Grant['files']> => [{ op: 'write', prefix }];

describe('the places of a command in the sandbox', () => {
  /** Which are looked at, and whether the command may run where all of them are what they say but for links. */
  async function look(command: ExactCommand, prefixes: string[], links: Record<string, string> = {}) {
    const files = prefixes.map((prefix) => ({ op: 'write' as const, prefix }));
    const asked: string[] = [];
    const may = requireSafePlaces(command, parseGrant({ files }), async (path) => {
      asked.push(path);
      return links[path] ?? (path.startsWith('/') ? path : '/home/user');
    });
    return {
      asked,
      may: await may.then(
        () => true,
        (error: { code: string }) => error.code,
      ),
    };
  }

  test('are its directory, its home, what its variables say and its programs', async () => {
    const plain = { command: 'ls' };
    expect(await look(plain, ['/data'])).toEqual({ asked: ['', '~'], may: true });
    const bound = { command: '/srv/run x', cwd: '/app', envs: { HOME: '/h', LIB: 'lib:/srv/lib' } };
    expect(await look(bound, ['/data'])).toEqual({
      asked: ['/app', '/h', '/app', '/h', '/srv/lib', '/srv/run'],
      may: true,
    });
  });

  test('are not looked at for who may write nothing', async () => {
    expect(await look({ command: 'ls' }, [])).toEqual({ asked: [], may: true });
  });

  test('may lead to none of what the page may write', async () => {
    for (const prefixes of [['/data'], ['/other', '/data'], ['/data', '/other']]) {
      const links = { '~': '/data/home' };
      expect((await look({ command: 'ls' }, prefixes, links)).may).toBe('permission_denied');
    }
    expect((await look({ command: 'ls' }, ['/data/home/bin'], { '': '/data/home' })).may).toBe(
      'permission_denied',
    );
    expect((await look({ command: 'ls' }, ['/data'], { '': '/database' })).may).toBe(true);
  });

  test('of a command are paths, and nothing else that it says', () => {
    const command = { command: 'ls', envs: { A: 'x', PATH: '/a:/b/../c::/d', OPTIONS: '--x="/e f"' } };
    expect(commandSources(command)).toEqual(['/a', '/c', '/d', '/e']);
    expect(commandSources({ command: 'ls' })).toEqual([]);
  });
});

describe('exact commands', () => {
  test('and a shell are refused by both names', () => {
    expect(sound({ commands: ['ls'], pty: 'write' })).toThrow(/"commands".*"pty": "write"/);
    expect(sound({ commands: ['ls'], pty: 'read' })).not.toThrow();
    expect(sound({ commands: 'run', pty: 'write', files: writing('/') })).not.toThrow();
    expect(sound({ commands: 'none', pty: 'write', files: writing('/') })).not.toThrow();
  });

  test.each([
    '/',
    '/home',
    '/home/user',
    '/home/user/uploads',
    '/root',
    '/etc/cron.d',
    '/usr',
    '/usr/local/bin',
    '/opt/tool',
    '/bin',
    '/lib64',
    '/proc',
    '/proc/sys/kernel',
    '/sys',
    '/dev/shm',
    '/run',
    '/var',
    '/var/run',
    '/var/spool/cron',
  ])('and writing to %s are refused, naming both', (prefix) => {
    expect(sound({ commands: ['npm test'], files: writing(prefix) })).toThrow(
      `exact command "npm test" of "commands" together with write access to ${prefix} in "files"`,
    );
    expect(sound({ commands: ['npm test'], files: [{ op: 'read', prefix }] })).not.toThrow();
  });

  test.each<[string | ExactCommand, string]>([
    [{ command: 'npm test', cwd: '/srv/app' }, '/srv/app'],
    [{ command: 'npm test', cwd: '/srv/app' }, '/srv/app/src'],
    [{ command: 'npm test', cwd: '/srv/app' }, '/srv'],
    [{ command: 'tool', envs: { PATH: '/usr/bin:/data/bin' } }, '/data'],
    [{ command: 'tool', envs: { HOME: '/data/home' } }, '/data/home'],
    [{ command: 'tool', envs: { LD_PRELOAD: '/data/x.so' } }, '/data'],
    [{ command: 'tool', envs: { BASH_ENV: '/data/env' } }, '/data'],
    [{ command: 'tool', envs: { NODE_OPTIONS: '--require=/data/x.js' } }, '/data'],
    ['/data/run', '/data'],
    ['/data/../data/run', '/data'],
    ['"/data/run" now', '/data'],
    ['CI=1 /data/run', '/data'],
    ['true && /data/run', '/data'],
    ['true; /data/run', '/data'],
    ['echo x | /data/filter', '/data'],
    ['sh /data/run.sh', '/data'],
    ['bash -eu /data/run.sh', '/data'],
    ['python3 -u /data/run.py', '/data'],
    ['/usr/bin/python3 -u /data/run.py', '/data'],
    ['/usr/bin/env python3 /data/run.py', '/data'],
    ['python3.11 /data/run.py', '/data'],
    ['bash  -eu /data/run.sh', '/data'],
    ['CI=1  /data/run', '/data'],
    ['exec nice /data/run', '/data'],
    ['MODE= CI=all /data/run', '/data'],
    [{ command: 'tool', envs: { PATH: ': /data/bin' } }, '/data'],
    ['. /data/env', '/data'],
    ['set -e; . /data/env', '/data'],
    ['source /data/env', '/data'],
    ['cd /data && npm test', '/data'],
    ['echo $(/data/run)', '/data'],
  ])('%j and writing to %s are refused', (command, prefix) => {
    expect(sound({ commands: ['true', command], files: writing(prefix) })).toThrow(
      `write access to ${prefix}`,
    );
  });

  test.each<[string | ExactCommand, string]>([
    [{ command: 'npm test', cwd: '/srv/app' }, '/srv/application'],
    [{ command: 'npm test', cwd: '/srv/app' }, '/data'],
    ['python3 /srv/run.py /data/in.csv', '/data'],
    ['wc -l /data/in.csv', '/data'],
    ['/srv/run < /data/in', '/data'],
    ['convert /data/in.png /data/out.png', '/data'],
  ])('%j and writing to %s, its input, are granted', (command, prefix) => {
    expect(sound({ commands: [command], files: writing(prefix) })).not.toThrow();
  });

  test('are long without taking long to look at', () => {
    const line = `${'sh -a '.repeat(500)}x`;
    expect(commandSources({ command: line })).toEqual([]);
    expect(commandSources({ command: ' '.repeat(4000) })).toEqual([]);
    expect(commandSources({ command: 'A='.repeat(2000) })).toEqual([]);
  });
});

test('a grant with a way round itself is the application’s fault, or the page’s that asks for it', async () => {
  const harness = await startHarness();
  const grants: Grant = { commands: ['ls'], pty: 'write' };
  await expect(harness.session(grants)).rejects.toMatchObject({ code: 'broker_misconfigured' });
  expect(String(harness.events.at(-1)?.cause)).toMatch(/"commands".*"pty": "write"/);
  expect(harness.fake.sandboxes.size).toBe(0);

  // What is asked for alone would be sound, but another page of the same user could ask for the rest.
  const mint = (body: unknown) =>
    harness.send('/sessions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  harness.authorization = { subject: 'ann', sandbox: { template: 'base' }, grants };
  expect(await refusal(await mint({ grant: { commands: ['ls'] } }))).toEqual({
    status: 500,
    code: 'broker_misconfigured',
  });

  harness.authorization.grants = { commands: 'run', pty: 'write' };
  expect(await refusal(await mint({ grant: grants }))).toEqual({ status: 400, code: 'invalid_grant' });
  expect((await mint({ grant: { commands: ['ls'] } })).status).toBe(201);
  await harness.close();
});
