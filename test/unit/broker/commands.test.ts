import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exactKind, processTag } from '../../../src/broker/process-mark.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { Process, Signal } from '../../../src/wire/gen/process/process_pb.js';
import type { ExactCommand, Grant, Session } from '../../../src/wire/session.js';
import { everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});

beforeEach(() => {
  harness.fake.processes = [];
  harness.fake.links.clear();
});

afterAll(() => harness.close());

const denied = { status: 200, code: 'permission_denied' };
const bound: ExactCommand = { command: 'npm test', cwd: '/srv/app', envs: { CI: '1', MODE: 'all' } };
const shell = (line: string) => ({ cmd: '/bin/bash', args: ['-l', '-c', line] });
const asGranted = { ...shell('npm test'), cwd: '/srv/app', envs: { MODE: 'all', CI: '1' } };
const started = () => harness.fake.calls('process.Process/Start');

async function session(grants: Grant, subject?: string): Promise<Session> {
  const made = await harness.session(grants, subject);
  harness.fake.envd.length = 0;
  return made;
}

const start = (of: Session, process: object, more: object = {}) =>
  harness.rpc(of, Process.method.start, { process, ...more });

describe('an exact command', () => {
  test('runs with its directory and variables, and its input closed', async () => {
    const limited = await session({ commands: [bound] });
    for (const more of [{}, { stdin: true }, { stdin: false }]) {
      expect((await start(limited, { ...asGranted, cwd: '/srv//app/' }, more)).status).toBe(200);
      expect(started().at(-1)).toMatchObject({
        process: { ...asGranted, cwd: '/srv/app' },
        stdin: false,
        tag: await processTag('ann', undefined, await exactKind(bound)),
      });
    }
  });

  test('has an input where that is granted, unless the page wants none', async () => {
    const limited = await session({ commands: [{ command: 'cat', stdin: true }] });
    const inputs = [];
    for (const more of [{}, { stdin: true }, { stdin: false }]) {
      expect((await start(limited, shell('cat'), more)).status).toBe(200);
      inputs.push((started().at(-1) as { stdin?: boolean }).stdin);
    }
    expect(inputs).toEqual([true, true, false]);
  });

  test.each([
    ['no directory', { ...asGranted, cwd: undefined }],
    ['an empty directory', { ...asGranted, cwd: '' }],
    ['another directory', { ...asGranted, cwd: '/srv/app/..' }],
    ['a directory of the home', { ...asGranted, cwd: 'srv/app' }],
    ['no variables', { ...asGranted, envs: {} }],
    ['a variable less', { ...asGranted, envs: { CI: '1' } }],
    ['a variable more', { ...asGranted, envs: { ...asGranted.envs, BASH_ENV: '/tmp/x' } }],
    ['another value', { ...asGranted, envs: { ...asGranted.envs, CI: '2' } }],
    ['another case', { ...asGranted, args: ['-l', '-c', 'npm Test'] }],
    ['a space more', { ...asGranted, args: ['-l', '-c', 'npm test '] }],
    ['another form of Unicode', { ...asGranted, args: ['-l', '-c', 'npm teſt'] }],
  ])('does not run with %s', async (_name, process) => {
    expect(await refusal(await start(await session({ commands: [bound] }), process))).toEqual(denied);
    expect(started()).toEqual([]);
  });

  test('is not run in a terminal', async () => {
    const limited = await session({ commands: ['ls'], pty: 'read' });
    expect(await refusal(await start(limited, shell('ls'), { pty: { size: { cols: 1, rows: 1 } } }))).toEqual(
      denied,
    );
  });
});

describe('the processes of an exact command', () => {
  const uses = [
    ['Connect', Process.method.connect, {}],
    ['SendSignal', Process.method.sendSignal, { signal: Signal.SIGKILL }],
    ['Update', Process.method.update, { pty: { size: { cols: 9, rows: 9 } } }],
    [
      'SendInput',
      Process.method.sendInput,
      { input: { input: { case: 'stdin', value: new Uint8Array(1) } } },
    ],
    ['CloseStdin', Process.method.closeStdin, {}],
  ] as const;

  /** Which of them a session gets through with, by name. */
  async function reach(limited: Session, pid: number): Promise<string[]> {
    const through: string[] = [];
    for (const [name, method, message] of uses) {
      const process = { selector: { case: 'pid' as const, value: pid } };
      await harness.rpc(limited, method, { process, ...message });
      if (harness.fake.calls(`process.Process/${name}`).length > 0) through.push(name);
      harness.fake.envd.length = 0;
    }
    return through;
  }

  const all = uses.map(([name]) => name);
  const cat = { command: 'cat', stdin: true };
  test.each<[string, Grant, ExactCommand, readonly string[]]>([
    ['that is granted', { commands: ['ls'] }, { command: 'ls' }, all.slice(0, 3)],
    ['that is granted with its input', { commands: [cat] }, cat, all],
    ['that is granted without the input it was started with', { commands: ['cat'] }, cat, all.slice(0, 3)],
    ['among others that are granted', { commands: ['ls', bound, cat] }, bound, all.slice(0, 3)],
    ['that is not granted', { commands: ['ls'] }, { command: 'id' }, []],
    ['in another directory', { commands: ['ls'] }, { command: 'ls', cwd: '/srv' }, []],
    ['with other variables', { commands: [bound] }, { ...bound, envs: { CI: '1' } }, []],
    ['are reached by who may run all', { commands: 'run' }, bound, all],
    ['are not reached by who has terminals', { pty: 'write' }, bound, []],
  ])('%s', async (_name, grants, command, expected) => {
    const subject = `ann-${crypto.randomUUID()}`;
    harness.fake.processes = [
      { pid: 10, tag: await processTag(subject, undefined, await exactKind(command)) },
      // As brokers marked them before commands were told apart.
      { pid: 11, tag: `${(await processTag(subject, undefined, 'run')).slice(0, -3)}exact` },
    ];
    const limited = await session(grants, subject);
    expect(await reach(limited, 10)).toEqual(expected);
    expect(await reach(limited, 11)).toEqual([]);
    const list = await harness.rpc(limited, Process.method.list, {}, { codec: 'json' });
    const { processes = [] } = (await list.json()) as { processes?: { pid: number }[] };
    expect(processes.map(({ pid }) => pid)).toEqual(expected.length > 0 ? [10] : []);
  });
});

describe('what a command is run from', () => {
  const grants = (command: string | ExactCommand): Grant => ({
    commands: [command],
    files: [{ op: 'write', prefix: '/data' }],
  });

  test.each([
    ['its directory', '/srv/app', bound, asGranted],
    ['what its directory lies in', '/srv', bound, asGranted],
    ['the home', '/home/user', { command: 'ls' }, shell('ls')],
    [
      'a directory that a variable names',
      '/srv/bin',
      { command: 'ls', envs: { PATH: '/usr/bin:/srv/bin' } },
      {
        ...shell('ls'),
        envs: { PATH: '/usr/bin:/srv/bin' },
      },
    ],
    ['its program', '/srv/tool', { command: '/srv/tool/run now' }, shell('/srv/tool/run now')],
  ])('%s may not lead to where the page may write', async (_name, link, command, process) => {
    const limited = await session(grants(command));
    expect((await start(limited, process)).status).toBe(200);
    expect(started()).toHaveLength(1);
    harness.fake.links.set(link, '/data/there');
    expect(await refusal(await start(limited, process))).toEqual(denied);
    expect(started()).toHaveLength(1);
  });

  test('is not looked at for who may not write', async () => {
    harness.fake.links.set('/srv/app', '/data');
    const limited = await session({ commands: [bound], files: [{ op: 'read', prefix: '/' }] });
    expect((await start(limited, asGranted)).status).toBe(200);
    expect(harness.fake.calls('filesystem.Filesystem/Stat')).toEqual([]);
  });
});

describe('any command', () => {
  test.each([
    ['a NUL in an argument', { cmd: 'echo', args: ['a\0b'] }],
    ['a NUL in the program', { cmd: 'echo\0', args: [] }],
    ['a NUL in the directory', { cmd: 'echo', cwd: '/tmp\0' }],
    ['a NUL in a variable', { cmd: 'echo', envs: { A: '\0' } }],
    ['a NUL in a name', { cmd: 'echo', envs: { 'A\0': '1' } }],
    ['a name that holds a value', { cmd: 'echo', envs: { 'A=B': '1' } }],
    ['no name', { cmd: 'echo', envs: { '': '1' } }],
    ['an argument that no program takes', { cmd: 'echo', args: ['é'.repeat(64 * 1024)] }],
    ['a variable that no program takes', { cmd: 'echo', envs: { A: 'x'.repeat(128 * 1024 - 2) } }],
  ])('with %s is refused before it is sent', async (_name, process) => {
    const open = await session(everything);
    expect(await refusal(await start(open, process))).toEqual({ status: 200, code: 'invalid_argument' });
    expect(started()).toEqual([]);
  });

  test('takes arguments of all that Linux takes', async () => {
    const open = await session(everything);
    expect((await start(open, { cmd: 'echo', args: ['x'.repeat(128 * 1024 - 1)] })).status).toBe(200);
  });

  test('with half a character as JSON is refused', async () => {
    const open = await session(everything);
    const text = new TextEncoder().encode('{"process":{"cmd":"echo","args":["\\ud800"]}}');
    const body = encodeEnvelope(0, text);
    const response = await harness.rpc(open, Process.method.start, {}, { codec: 'json', body });
    expect((await refusal(response)).code).toBe('invalid_argument');
  });
});

describe('a process that ended', () => {
  const connect = (of: Session, pid: number) =>
    harness.rpc(of, Process.method.connect, { process: { selector: { case: 'pid', value: pid } } });

  test('still tells its end to who started it, and takes nothing else', async () => {
    const subject = `ann-${crypto.randomUUID()}`;
    const mine = await session(everything, subject);
    const response = await start(mine, shell('exit 3'));
    await response.arrayBuffer();
    // The fake lists nothing: it is gone.
    await (await connect(mine, 7)).arrayBuffer();
    expect(harness.fake.calls('process.Process/Connect')).toHaveLength(1);
    const other = await session(everything, `eve-${crypto.randomUUID()}`);
    expect((await refusal(await connect(other, 7))).code).toBe('not_found');
    expect(harness.fake.calls('process.Process/Connect')).toHaveLength(0);
  });

  test('is not taken for the one that has its number now', async () => {
    const subject = `ann-${crypto.randomUUID()}`;
    const mine = await session(everything, subject);
    await (await start(mine, shell('exit 3'))).arrayBuffer();
    harness.fake.processes = [{ pid: 7, tag: await processTag('eve', undefined, 'run') }];
    expect((await refusal(await connect(mine, 7))).code).toBe('not_found');
    expect(harness.fake.calls('process.Process/Connect')).toEqual([]);
    // Nor is it typed into.
    const input = { input: { case: 'stdin' as const, value: new Uint8Array(1) } };
    const process = { selector: { case: 'pid' as const, value: 7 } };
    const typing = await harness.rpc(mine, Process.method.sendInput, { process, input });
    expect(await refusal(typing)).toEqual({ status: 404, code: 'not_found' });
  });

  test('counts by what it was started under', async () => {
    const subject = `ann-${crypto.randomUUID()}`;
    const wide = await session(everything, subject);
    const limited = await harness.session({ commands: ['ls'] }, subject);
    const inSame = await harness.mint({ sandboxId: wide.sandboxId });
    expect(inSame.grant.commands).toEqual(['ls']);
    await (await start(wide, shell('exit 3'))).arrayBuffer();
    expect((await refusal(await connect(inSame, 7))).code).toBe('permission_denied');
    expect((await refusal(await connect(limited, 7))).code).toBe('not_found');
  });
});
