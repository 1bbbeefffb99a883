import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowsFile, type FullGrant, intersectGrants, parseGrant } from '../../../src/broker/grant.js';
import {
  isWithin,
  normalizeAbsolute,
  normalizePath,
  pathsOnTheWay,
} from '../../../src/broker/sandbox-path.js';
import type { Grant } from '../../../src/wire/session.js';

const both = (asked: Grant, allowed: Grant): FullGrant =>
  intersectGrants(parseGrant(asked), parseGrant(allowed));
const files = (...prefixes: string[]) => prefixes.map((prefix) => ({ op: 'read' as const, prefix }));

describe('the smaller of two grants', () => {
  test.each([
    ['the same', ['/a'], ['/a'], ['/a']],
    ['one below the other', ['/a/b'], ['/a'], ['/a/b']],
    ['one above the other', ['/'], ['/a'], ['/a']],
    ['side by side', ['/a'], ['/b'], []],
    ['a name that begins alike', ['/home/user2'], ['/home/user'], []],
    ['several', ['/a/x', '/b'], ['/a', '/b/y', '/c'], ['/a/x', '/b/y']],
    ['one that covers another', ['/a', '/a/b'], ['/'], ['/a']],
    ['one that is covered by another', ['/a/b', '/a'], ['/'], ['/a']],
    ['one that is there twice', ['/a', '/a'], ['/a', '/'], ['/a']],
    ['none asked for', [], ['/'], []],
  ])('of files: %s', (_name, asked, allowed, expected) => {
    expect(both({ files: files(...asked) }, { files: files(...allowed) }).files).toEqual(files(...expected));
  });

  test('of files keeps reading and writing apart', () => {
    expect(both({ files: [{ op: 'write', prefix: '/' }] }, { files: files('/') }).files).toEqual([]);
    const apart = [...files('/a/b'), { op: 'write' as const, prefix: '/a' }];
    expect(both({ files: apart }, { files: apart }).files).toEqual(apart);
  });

  test.each<[Grant['commands'], Grant['commands'], Grant['commands']]>([
    ['run', 'run', 'run'],
    ['run', ['ls'], ['ls']],
    [['ls', 'rm'], 'run', ['ls', 'rm']],
    [['ls', 'rm'], ['ls'], ['ls']],
    [['rm'], ['ls'], 'none'],
    ['run', 'none', 'none'],
    ['none', 'run', 'none'],
    ['none', ['none', 'run'], 'none'],
    [['none'], 'none', 'none'],
    [[], 'run', 'none'],
  ])('of commands: %j and %j', (asked, allowed, expected) => {
    expect(both({ commands: asked as string[] }, { commands: allowed as string[] }).commands).toEqual(
      expected,
    );
  });

  test.each<[Grant['commands'], Grant['commands'], Grant['commands']]>([
    // Another directory, other variables: another command.
    [['ls'], [{ command: 'ls', cwd: '/a' }], 'none'],
    [[{ command: 'ls', cwd: '/a' }], ['ls'], 'none'],
    [[{ command: 'ls', cwd: '/a/' }], [{ command: 'ls', cwd: '/a' }], [{ command: 'ls', cwd: '/a' }]],
    [[{ command: 'ls', envs: { A: '1' } }], [{ command: 'ls', envs: { A: '2' } }], 'none'],
    [[{ command: 'ls', envs: { A: '1' } }], [{ command: 'ls', envs: { A: '1', B: '1' } }], 'none'],
    [
      [{ command: 'ls', envs: { A: '1', B: '2' } }],
      [{ command: 'ls', envs: { B: '2', A: '1' } }],
      [{ command: 'ls', envs: { A: '1', B: '2' } }],
    ],
    // The input is open where both say so.
    [[{ command: 'ls', stdin: true }], ['ls'], ['ls']],
    [['ls'], [{ command: 'ls', stdin: true }], ['ls']],
    [[{ command: 'ls', stdin: true }], [{ command: 'ls', stdin: true }], [{ command: 'ls', stdin: true }]],
    [[{ command: 'ls', stdin: true }], 'run', [{ command: 'ls', stdin: true }]],
  ])('of exact commands: %j and %j', (asked, allowed, expected) => {
    expect(both({ commands: asked ?? [] }, { commands: allowed ?? [] }).commands).toEqual(expected);
  });

  test('of ports', () => {
    expect(both({ ports: [80, 81, 80] }, { ports: [81, 82] }).ports).toEqual([81]);
  });

  test('is strict where either is, as the user that is allowed', () => {
    const strict = { strict: true, user: 'user' };
    expect(both({}, strict)).toMatchObject(strict);
    expect(both({ strict: false }, strict)).toMatchObject(strict);
    expect(both({ strict: true, user: 'root' }, { user: 'user' })).toMatchObject(strict);
    expect(both({}, { user: 'user' })).not.toHaveProperty('strict');
    expect(() => both({ strict: true, user: 'root' }, {})).toThrow('"user" that the application pins');
  });

  test('of terminals and of the lifecycle', () => {
    expect(both({ pty: 'write' }, { pty: 'read' }).pty).toBe('read');
    expect(both({ pty: 'read' }, { pty: 'write' }).pty).toBe('read');
    expect(both({}, { pty: 'write' }).pty).toBe('none');
    expect(both({ lifecycle: ['kill', 'info'] }, { lifecycle: ['info', 'pause'] }).lifecycle).toEqual([
      'info',
    ]);
  });

  test('has the user that is allowed, never the one that is asked for', () => {
    expect(both({ user: 'root' }, {})).not.toHaveProperty('user');
    expect(both({ user: 'root' }, { user: 'user' }).user).toBe('user');
  });

  test('allows a file exactly where both allow it', () => {
    const segment = fc.constantFrom('a', 'b', 'ab');
    const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
    const grant = fc.array(fc.record({ op: fc.constantFrom('read', 'write'), prefix: path }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        grant,
        grant,
        path,
        fc.constantFrom('read' as const, 'write' as const),
        (asked, allowed, at, op) => {
          const [one, other] = [asked, allowed].map((list) => parseGrant({ files: list })) as [
            FullGrant,
            FullGrant,
          ];
          const expected = allowsFile(one, op, at) && allowsFile(other, op, at);
          expect(allowsFile(intersectGrants(one, other), op, at)).toBe(expected);
        },
      ),
    );
  });
});

describe('a grant', () => {
  test.each([
    [null, 'not an object'],
    ['run', 'not an object'],
    [[], 'not an object'],
    [{ file: [] }, '"file" is not known'],
    [{ files: [{ op: 'exec', prefix: '/' }] }, '"op"'],
    [{ files: [{ op: 'read', prefix: 'relative' }] }, '"prefix"'],
    [{ files: [null] }, '"op"'],
    [{ commands: 'all' }, '"commands"'],
    [{ commands: [1] }, 'a list of commands'],
    [{ commands: [null] }, 'a list of commands'],
    [{ commands: [['ls']] }, 'a list of commands'],
    [{ commands: [{ command: '' }] }, '"command"'],
    [{ commands: [''] }, '"command"'],
    [{ commands: ['a\0b'] }, '"command"'],
    [{ commands: ['\ud800'] }, '"command"'],
    [{ commands: [{ command: 'ls', args: [] }] }, '"args" of a command'],
    [{ commands: [{ command: 'ls', cwd: 'sub' }] }, '"cwd"'],
    [{ commands: [{ command: 'ls', cwd: '/a\0' }] }, '"cwd"'],
    [{ commands: [{ command: 'ls', stdin: 'yes' }] }, '"stdin"'],
    [{ commands: [{ command: 'ls', envs: [] }] }, '"envs"'],
    [{ commands: [{ command: 'ls', envs: null }] }, '"envs"'],
    [{ commands: [{ command: 'ls', envs: 'A=1' }] }, '"envs"'],
    [{ commands: [{ command: 'ls', envs: 1 }] }, '"envs"'],
    [{ commands: [{ command: 'ls', envs: { A: 1 } }] }, '"envs"'],
    [{ commands: [{ command: 'ls', envs: { 'A=B': '1' } }] }, '"envs"'],
    [{ commands: [{ command: 'ls', envs: { '': '1' } }] }, '"envs"'],
    [{ commands: [{ command: 'ls', envs: { A: '\0' } }] }, '"envs"'],
    [{ commands: [{ command: 'ls', envs: { A: '\udfff' } }] }, '"envs"'],
    [{ files: [{ op: 'read', prefix: '/a\0' }] }, '"prefix"'],
    [{ files: [{ op: 'read', prefix: '/a\\b' }] }, '"prefix"'],
    [{ files: [{ op: 'read', prefix: '/\ud800' }] }, '"prefix"'],
    [{ files: [{ op: 'read', prefix: '/a', recursive: false }] }, '"recursive" of "files"'],
    [{ files: {} }, '"files" is not a list'],
    [{ ports: [0] }, '"ports"'],
    [{ ports: [65536] }, '"ports"'],
    [{ ports: ['80'] }, '"ports"'],
    [{ ports: [80.5] }, '"ports"'],
    [{ ports: [49983] }, "envd's own"],
    [{ ports: 80 }, '"ports" is not a list'],
    [{ strict: 'yes', user: 'user' }, '"strict"'],
    [{ strict: true }, '"user" that the application pins'],
    [{ pty: true }, '"pty"'],
    [{ lifecycle: 'kill' }, '"lifecycle" is not a list'],
    [{ lifecycle: ['destroy'] }, '"lifecycle"'],
    [{ user: 'root:x\r\n' }, '"user"'],
    [{ user: 'x:root' }, '"user"'],
    [{ user: ['root'] }, '"user"'],
    [{ user: null }, '"user"'],
  ])('of %j is refused, naming %s', (value, words) => {
    expect(() => parseGrant(value)).toThrow(words);
  });

  test('has ports from the first to the last', () => {
    expect(parseGrant({ ports: [1, 65535] }).ports).toEqual([1, 65535]);
  });

  test('has what it does not say as if it were not there', () => {
    expect(parseGrant({ user: undefined, commands: undefined })).not.toHaveProperty('user');
  });

  test('allows an operation on what is within its prefixes, and no other', () => {
    const grant = parseGrant({ files: [...files('/a'), { op: 'write', prefix: '/b' }] });
    expect(allowsFile(grant, 'read', '/a/x')).toBe(true);
    expect(allowsFile(grant, 'write', '/b')).toBe(true);
    expect(allowsFile(grant, 'write', '/a/x')).toBe(false);
    expect(allowsFile(grant, 'read', '/b')).toBe(false);
    expect(allowsFile(grant, 'read', '/ab')).toBe(false);
  });

  test('is closed where it says nothing, and its prefixes are plain', () => {
    expect(parseGrant({ files: files('/a/../b//c/') })).toEqual({
      files: files('/b/c'),
      commands: 'none',
      pty: 'none',
      ports: [],
      lifecycle: [],
    });
  });

  test('has each command once, in its shortest form, and with an input if any of its forms has one', () => {
    const same = { command: 'ls', envs: {}, stdin: false };
    expect(parseGrant({ commands: ['ls', same, { command: 'ls' }] }).commands).toEqual(['ls']);
    const open = { command: 'ls', stdin: true };
    expect(parseGrant({ commands: ['ls', open, 'ls'] }).commands).toEqual([open]);
    expect(parseGrant({ commands: [{ command: 'ls', cwd: '/a/../b/' }] }).commands).toEqual([
      { command: 'ls', cwd: '/b' },
    ]);
  });

  test('tells commands apart by their directory and their variables, in any order', () => {
    const commands = [
      'ls',
      { command: 'ls', cwd: '/a' },
      { command: 'ls', envs: { A: '1', B: '2' } },
      { command: 'ls', envs: { A: '2', B: '1' } },
    ];
    expect(
      parseGrant({ commands: [...commands, { command: 'ls', envs: { B: '2', A: '1' } }] }).commands,
    ).toEqual([...commands.slice(0, 2), { command: 'ls', envs: { B: '2', A: '1' } }, commands[3]]);
  });

  test('is no longer than what fits into a header', () => {
    const commands = (count: number) => ({ commands: ['x'.repeat(count)] });
    expect(() => parseGrant(commands(3900))).not.toThrow();
    const rest = JSON.stringify(parseGrant(commands(1))).length - 1;
    expect(() => parseGrant(commands(4096 - rest))).not.toThrow();
    expect(() => parseGrant(commands(4097 - rest))).toThrow('4096 bytes');
    expect(() => parseGrant(commands(2000))).not.toThrow();
    expect(() => parseGrant({ commands: ['é'.repeat(2100)] })).toThrow('4096 bytes');
  });
});

describe('a path', () => {
  const home = () => Promise.resolve('/home/user');

  test.each([
    ['/a/b', '/a/b'],
    ['/a/../b', '/b'],
    ['/../../etc', '/etc'],
    ['//a///b/./', '/a/b'],
    ['/', '/'],
    ['~', '/home/user'],
    ['~/x', '/home/user/x'],
    ['~/../root', '/home/root'],
    ['x/y', '/home/user/x/y'],
    ['../../etc', '/etc'],
    ['./~', '/home/user/~'],
    // Decoded once by the URL, and not again.
    ['/a/%2e%2e/b', '/a/%2e%2e/b'],
    ['/a:b', '/a:b'],
  ])('%s is %s', async (path, plain) => {
    expect(await normalizePath(path, home)).toBe(plain);
  });

  test.each(['', '/a\0b', '/a\\b', '~bob/x', '\ud800', `/${'x'.repeat(5000)}`])(
    '%j is refused',
    async (path) => {
      await expect(normalizePath(path, home)).rejects.toMatchObject({ statusCode: 400 });
    },
  );

  test('that is normalised stays as it is, and never climbs out', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('..', '.', '', 'a', 'b'), { maxLength: 8 }), (parts) => {
        const plain = normalizeAbsolute(`/${parts.join('/')}`);
        expect(normalizeAbsolute(plain)).toBe(plain);
        expect(plain.split('/')).not.toContain('..');
      }),
    );
  });

  test('is within itself and its ancestors', () => {
    expect(isWithin('/a/b', '/a')).toBe(true);
    expect(isWithin('/a', '/a')).toBe(true);
    expect(isWithin('/ab', '/a')).toBe(false);
    expect(isWithin('/a', '/')).toBe(true);
    expect(pathsOnTheWay('/a/b')).toEqual(['/a', '/a/b']);
    expect(pathsOnTheWay('/')).toEqual([]);
  });
});
