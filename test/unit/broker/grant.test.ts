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
    ['none asked for', [], ['/'], []],
  ])('of files: %s', (_name, asked, allowed, expected) => {
    expect(both({ files: files(...asked) }, { files: files(...allowed) }).files).toEqual(files(...expected));
  });

  test('of files keeps reading and writing apart', () => {
    expect(both({ files: [{ op: 'write', prefix: '/' }] }, { files: files('/') }).files).toEqual([]);
  });

  test.each<[Grant['commands'], Grant['commands'], Grant['commands']]>([
    ['run', 'run', 'run'],
    ['run', ['ls'], ['ls']],
    [['ls', 'rm'], 'run', ['ls', 'rm']],
    [['ls', 'rm'], ['ls'], ['ls']],
    [['rm'], ['ls'], 'none'],
    ['run', 'none', 'none'],
    ['none', 'run', 'none'],
    [[], 'run', 'none'],
  ])('of commands: %j and %j', (asked, allowed, expected) => {
    expect(both({ commands: asked as string[] }, { commands: allowed as string[] }).commands).toEqual(
      expected,
    );
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
    [{ file: [] }, '"file" is not known'],
    [{ files: [{ op: 'exec', prefix: '/' }] }, '"op"'],
    [{ files: [{ op: 'read', prefix: 'relative' }] }, '"prefix"'],
    [{ files: [null] }, '"op"'],
    [{ commands: 'all' }, '"commands"'],
    [{ commands: [1] }, '"commands"'],
    [{ pty: true }, '"pty"'],
    [{ lifecycle: ['destroy'] }, '"lifecycle"'],
    [{ user: 'root:x\r\n' }, '"user"'],
  ])('of %j is refused, naming %s', (value, words) => {
    expect(() => parseGrant(value)).toThrow(words);
  });

  test('is closed where it says nothing, and its prefixes are plain', () => {
    expect(parseGrant({ files: files('/a/../b//c/') })).toEqual({
      files: files('/b/c'),
      commands: 'none',
      pty: 'none',
      lifecycle: [],
    });
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
