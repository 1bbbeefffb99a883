import { describe, expect, test } from 'vitest';
import { readEntries } from '../../../src/broker/strict/entries.js';
import { FileType } from '../../../src/wire/messages/filesystem.js';

/** What `find` prints of an entry. */
function entry(name: string, { kind = 'f', target = '', mode = '644' } = {}): string {
  return ['e', kind, target || kind, mode, '7', '1700000000.1234567890', 'ann', 'staff', name, ''].join('\0');
}

const link = (name: string, target: string, mode = '644') => `${['l', name, target, mode].join('\0')}\0`;
const read = (text: string, base = '/data') => readEntries(new TextEncoder().encode(text), base);

describe('an entry', () => {
  test('has all that envd tells of it', () => {
    expect(read(entry('sub/a.txt'))).toEqual([
      {
        name: 'a.txt',
        type: FileType.FILE,
        path: '/data/sub/a.txt',
        size: 7,
        mode: 0o644,
        permissions: '-rw-r--r--',
        owner: 'ann',
        group: 'staff',
        modifiedTime: { seconds: 1_700_000_000, nanos: 123_456_789 },
        metadata: {},
      },
    ]);
  });

  test.each([
    ['/data', '', '/data', 'data'],
    ['/data', 'x', '/data/x', 'x'],
    ['/', '', '/', '/'],
    ['/', 'x/y', '/x/y', 'y'],
  ])('of %s by the name "%s" is %s', (base, below, path, name) => {
    expect(read(entry(below), base)).toMatchObject([{ path, name }]);
  });

  test.each([
    ['a file', 'f', '644', FileType.FILE, '-rw-r--r--'],
    ['a directory', 'd', '755', FileType.DIRECTORY, 'drwxr-xr-x'],
    ['a program of its owner', 'f', '4711', FileType.FILE, 'urwx--x--x'],
    ['a program of its group', 'f', '2755', FileType.FILE, 'grwxr-xr-x'],
    ['a directory for all', 'd', '1777', FileType.DIRECTORY, 'dtrwxrwxrwx'],
    ['a file of which all is set', 'f', '7777', FileType.FILE, 'ugtrwxrwxrwx'],
    ['a file that nobody may', 'f', '0', FileType.FILE, '----------'],
    ['a block device', 'b', '660', FileType.UNSPECIFIED, 'Drw-rw----'],
    ['a terminal', 'c', '620', FileType.UNSPECIFIED, 'Dcrw--w----'],
    ['a pipe', 'p', '644', FileType.UNSPECIFIED, 'prw-r--r--'],
    ['a socket', 's', '644', FileType.UNSPECIFIED, 'Srw-r--r--'],
  ])('that is %s says so as Go would', (_name, kind, mode, type, permissions) => {
    const bits = Number.parseInt(mode, 8) & 0o777;
    expect(read(entry('x', { kind, mode }))).toMatchObject([{ type, permissions, mode: bits }]);
  });
});

describe('a symlink', () => {
  const isLink = { kind: 'l', target: 'd', mode: '777' };

  test('is of the kind and the mode of its target', () => {
    expect(read(entry('sub/link', isLink) + link('sub/link', '/srv/x', '2750'))).toMatchObject([
      {
        path: '/data/sub/link',
        type: FileType.DIRECTORY,
        permissions: 'Lrwxrwxrwx',
        symlinkTarget: '/srv/x',
        mode: 0o750,
      },
    ]);
  });

  test('that is asked for by itself is found by no name', () => {
    const [told, ...rest] = read(entry('', isLink) + link('link', '/srv'), '/data/link');
    expect(told).toMatchObject({ path: '/data/link', symlinkTarget: '/srv' });
    expect(rest).toEqual([]);
  });

  test('among others is told of it alone', () => {
    const told = read(entry('a') + entry('b', isLink) + link('b', '/srv'));
    expect(told.map(({ symlinkTarget }) => symlinkTarget)).toEqual([undefined, '/srv']);
  });

  test('that leads to nothing has no mode', () => {
    const broken = { kind: 'l', target: 'N', mode: '777' };
    expect(read(entry('x', broken) + link('x', '/data/x', ''))).toMatchObject([
      { type: FileType.UNSPECIFIED, mode: 0, symlinkTarget: '/data/x' },
    ]);
  });

  test('that came after its directory was listed is left out', () => {
    expect(read(entry('a') + link('late', '/srv'))).toMatchObject([{ path: '/data/a' }]);
  });
});

describe('entries', () => {
  test('come as a tree: a directory, what is in it, and then the next', () => {
    const names = ['b', 'a-b', 'a/c', 'a', 'a/b', 'B'];
    const told = read(names.map((name) => entry(name)).join(''));
    expect(told.map(({ path }) => path.slice('/data/'.length))).toEqual(['B', 'a', 'a/b', 'a/c', 'a-b', 'b']);
  });

  test('may be none', () => {
    expect(read('')).toEqual([]);
  });
});
