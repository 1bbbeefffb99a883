import { describe, expect, test } from 'vitest';
import { exactKind, kindOfTag, processTag, tagOf } from '../../../src/broker/process-mark.js';

describe('a mark', () => {
  test('says whose a process is, as which Linux user, and what it was started under', async () => {
    const mark = await tagOf('ann', undefined);
    for (const kind of ['pty', 'run', await exactKind({ command: 'ls' })] as const)
      expect(kindOfTag(await processTag('ann', undefined, kind), mark)).toBe(kind);
    const others = [await tagOf('bob', undefined), await tagOf('ann', 'root'), await tagOf('ann', 'user')];
    expect(new Set([mark, ...others]).size).toBe(4);
    for (const other of others) expect(kindOfTag(`${other}:pty`, mark)).toBeUndefined();
  });

  test('stays the same over versions, so that a page finds what it left running', async () => {
    expect(await tagOf('ann', undefined)).toBe('e2b-edge:4e0d33b0705e1bf27234c8ab65cfd166');
    expect(await exactKind({ command: 'ls' })).toBe('exact:5cde0aee4dea04b98d4865e1494c71ad');
    const bound = { command: 'ls', cwd: '/a', envs: { B: '2', A: '1', C: '3' } };
    expect(await exactKind(bound)).toBe('exact:08c8d5efe2cf4f70c12c762ec66f3a1b');
  });

  test.each([
    undefined,
    '',
    'M',
    'Mpty',
    'M:',
    'M:tty',
    'M:xpty',
    'M:ptyx',
    'M:pty:',
    'M:pty\n',
    'M:exact',
    'M:exact:',
    `M:exact:${'0'.repeat(31)}`,
    `M:exact:${'0'.repeat(33)}`,
    `M:exact:${'g'.repeat(32)}`,
    `M:xexact:${'0'.repeat(32)}`,
    'M;pty',
    'xM:pty',
  ])('that is %j, where the subject’s own begin with M, is of nothing that was started', (tag) => {
    expect(kindOfTag(tag, 'M')).toBeUndefined();
  });
});
