import { describe, expect, test } from 'vitest';
import { parseGrant } from '../../../src/broker/grant.js';
import { mayUse, type ProcessUse } from '../../../src/broker/process-guard.js';
import { exactKind, type ProcessKind } from '../../../src/broker/process-mark.js';
import { bindStart, startOf } from '../../../src/broker/start-policy.js';
import type { ProcessConfig, StartRequest } from '../../../src/wire/messages/process.js';
import type { Grant } from '../../../src/wire/session.js';

const message = (process: Partial<ProcessConfig> | undefined, isTerminal = false): StartRequest => ({
  ...(process && { process: { cmd: '', args: [], envs: {}, ...process } }),
  ...(isTerminal && { pty: { size: { cols: 80, rows: 24 } } }),
});
const bash = (...args: string[]) => ({ cmd: '/bin/bash', args });
const line = (text: string) => bash('-l', '-c', text);
const judge = (grant: Grant, start: StartRequest) => startOf(start, parseGrant(grant));

const denied = expect.objectContaining({ code: 'permission_denied' });
const invalid = expect.objectContaining({ code: 'invalid_argument' });

describe('a start', () => {
  test.each([undefined, {}, { cmd: '' }])('of no command is none: %j', (process) => {
    for (const isTerminal of [false, true])
      expect(() => judge({ commands: 'run', pty: 'write' }, message(process, isTerminal))).toThrow(invalid);
  });

  test('of a terminal takes writing to terminals', () => {
    const terminal = message(bash(), true);
    expect(judge({ pty: 'write' }, terminal)).toBe('pty');
    expect(() => judge({ pty: 'read', commands: 'run' }, terminal)).toThrow(denied);
    expect(() => judge({ commands: 'run' }, terminal)).toThrow(denied);
  });

  test('of a command takes commands', () => {
    expect(judge({ commands: 'run' }, message({ cmd: 'any', cwd: 'sub', envs: { A: '=' } }))).toBe('run');
    expect(() => judge({ pty: 'write' }, message(line('ls')))).toThrow(denied);
  });

  test('of a listed command takes its line, directory and variables in the one shell', () => {
    const bound = { command: 'ls', cwd: '/a', envs: { B: '2' } };
    const grant: Grant = { commands: ['id', bound] };
    expect(judge(grant, message(line('id')))).toEqual({ command: 'id' });
    expect(judge(grant, message({ ...line('id'), cwd: '' }))).toEqual({ command: 'id' });
    expect(judge(grant, message({ ...line('ls'), cwd: '/a', envs: { B: '2' } }))).toEqual(bound);
    expect(judge(grant, message({ ...line('ls'), cwd: '/a/', envs: { B: '2' } }))).toEqual(bound);
  });

  test.each<[string, Partial<ProcessConfig>]>([
    ['another shell', { ...line('id'), cmd: '/tmp/bash' }],
    ['another first flag', bash('-i', '-c', 'id')],
    ['another second flag', bash('-l', '-s', 'id')],
    ['an argument more', bash('-l', '-c', 'id', 'x')],
    ['an argument less', bash('-l', 'id')],
    ['no line', bash('-l', '-c')],
    ['a directory of its own', { ...line('id'), cwd: '/a' }],
    ['a directory of the home', { ...line('ls'), cwd: 'a' }],
    ['a variable of its own', { ...line('id'), envs: { A: '1' } }],
    ['another line', line('id ')],
  ])('of a listed command with %s is not that one', (_what, process) => {
    const grant: Grant = { commands: ['id', { command: 'ls', cwd: '/a' }] };
    expect(() => judge(grant, message(process))).toThrow(denied);
  });

  test.each<[string, Partial<ProcessConfig>]>([
    ['a NUL', { cmd: 'a\0' }],
    ['half a character', { cmd: 'a', args: ['\ud800'] }],
    ['a name with a value', { cmd: 'a', envs: { 'A=B': '' } }],
    ['a variable without a name', { cmd: 'a', envs: { '': '1' } }],
    ['a NUL in a variable', { cmd: 'a', envs: { A: '\0' } }],
    ['a byte too many in a variable', { cmd: 'a', envs: { A: 'x'.repeat(128 * 1024 - 2) } }],
    ['a byte too many', { cmd: 'a', args: ['x'.repeat(128 * 1024)] }],
    ['a byte too many in UTF-8', { cmd: 'a', cwd: `/${'é'.repeat(64 * 1024)}` }],
  ])('with %s would not arrive as it was sent', (_what, process) => {
    expect(() => judge({ commands: 'run' }, message(process))).toThrow(invalid);
  });

  test('may have an argument of all that Linux takes', () => {
    const process = { cmd: 'a', args: ['x'.repeat(128 * 1024 - 1)] };
    expect(judge({ commands: 'run' }, message(process))).toBe('run');
  });
});

describe('an exact command', () => {
  test('is what was granted, of which nothing is the page’s', () => {
    const start: StartRequest = { ...message({ cmd: '/bin/sh', args: ['x'], envs: { A: '1' }, cwd: '/x' }) };
    bindStart(start, { command: 'ls' });
    expect(start.process).toStrictEqual({ ...line('ls'), envs: {} });
    const envs = { B: '2' };
    bindStart(start, { command: 'ls', cwd: '/a', envs });
    expect(start.process).toStrictEqual({ ...line('ls'), envs: { B: '2' }, cwd: '/a' });
    expect(start.process?.envs).not.toBe(envs);
  });

  test('has an input where that is granted and wanted', () => {
    const inputs = [true, false, undefined].flatMap((granted) =>
      [true, false, undefined].map((wanted) => {
        const start: StartRequest = {
          ...message(line('cat')),
          ...(wanted !== undefined && { stdin: wanted }),
        };
        bindStart(start, { command: 'cat', ...(granted !== undefined && { stdin: granted }) });
        return start.stdin;
      }),
    );
    expect(inputs).toEqual([true, false, true, ...Array(6).fill(false)]);
  });
});

describe('what a grant gives of a process', () => {
  const uses: ProcessUse[] = ['watch', 'control', 'type'];
  const given = async (grant: Grant, kind: ProcessKind) => {
    const full = parseGrant(grant);
    const all = await Promise.all(uses.map((use) => mayUse(full, kind, use)));
    return uses.filter((_, index) => all[index]);
  };

  test('that is a terminal', async () => {
    expect(await given({ pty: 'write' }, 'pty')).toEqual(uses);
    expect(await given({ pty: 'read' }, 'pty')).toEqual(['watch']);
    expect(await given({ commands: 'run' }, 'pty')).toEqual([]);
  });

  test('that is a command', async () => {
    const exact = await exactKind({ command: 'ls' });
    for (const kind of ['run', exact] as const) {
      expect(await given({ commands: 'run' }, kind)).toEqual(uses);
      expect(await given({ pty: 'write' }, kind)).toEqual([]);
    }
    expect(await given({ commands: ['ls'] }, 'run')).toEqual([]);
    expect(await given({ commands: ['id', 'ls'] }, exact)).toEqual(['watch', 'control']);
    expect(await given({ commands: [{ command: 'ls', stdin: true }] }, exact)).toEqual(uses);
    expect(await given({ commands: ['id'] }, exact)).toEqual([]);
  });
});
