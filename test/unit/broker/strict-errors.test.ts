import { describe, expect, test } from 'vitest';
import { parseGrant } from '../../../src/broker/grant.js';
import { directoryOf, grantedPrefixes, placeOf } from '../../../src/broker/strict/place.js';
import { programError } from '../../../src/broker/strict/program-error.js';
import type { FileGrant } from '../../../src/wire/session.js';

describe('the end of a program', () => {
  test.each([
    [70, 403, 'permission_denied', 'permission_denied'],
    [71, 404, 'file_not_found', 'not_found'],
    [72, 400, 'invalid_argument', 'invalid_argument'],
    [73, 403, 'permission_denied', 'permission_denied'],
    [74, 400, 'invalid_argument', 'invalid_argument'],
    [75, 409, 'already_exists', 'already_exists'],
    [76, 400, 'invalid_argument', 'invalid_argument'],
    [77, 507, 'not_enough_space', 'resource_exhausted'],
    [78, 416, 'range_not_satisfiable', 'range_not_satisfiable'],
    [79, 502, 'upstream_unavailable', 'upstream_unavailable'],
    [80, 400, 'body_length_differs', 'body_length_differs'],
    [127, 501, 'unimplemented', 'unimplemented'],
    [-1, 502, 'upstream_unavailable', 'upstream_unavailable'],
  ])('by %i is %i with a code of its own for files and for calls', (code, statusCode, ofFile, ofCall) => {
    const exit = { code, words: 'mv: something of the sandbox' };
    for (const [of, expected] of [
      ['file', ofFile],
      ['rpc', ofCall],
    ] as const) {
      const error = programError(exit, '/data/x', of);
      expect(error).toMatchObject({ statusCode, code: expected });
      expect(error.message).not.toContain(exit.words);
    }
  });

  test.each([71, 72, 73, 74, 75, 76, 78, 80])('by %i names the path', (code) => {
    for (const of of ['file', 'rpc'] as const) {
      expect(programError({ code, words: '' }, '/data/x', of).message).toContain('/data/x');
    }
  });

  test('that is not foreseen is told to the log, with its words', () => {
    const { cause } = programError({ code: 79, words: 'mv: odd' }, '/data/x', 'rpc');
    expect((cause as Error).message).toMatch(/79.*mv: odd/);
  });
});

describe('a path', () => {
  test.each([
    ['/data/a/x', '/data/a', 'x'],
    ['/x', '/', 'x'],
    ['/', '/', '.'],
  ])('%s is the name %s in %s, within one of the prefixes', (path, dir, name) => {
    expect(placeOf(path, ['/data', '/srv'])).toEqual([dir, name, '2', '/data', '/srv']);
  });

  test('that is gone into is the directory itself', () => {
    expect(directoryOf('/data', ['/data', '/srv'])).toEqual(['/data', '.', '2', '/data', '/srv']);
  });
});

describe('the prefixes that are granted', () => {
  const granted = (files: FileGrant[], ...ops: FileGrant['op'][]) =>
    grantedPrefixes(parseGrant({ files }), ...ops);
  const files: FileGrant[] = [
    { op: 'read', prefix: '/a' },
    { op: 'write', prefix: '/a/in' },
    { op: 'read', prefix: '/b/out' },
    { op: 'write', prefix: '/b' },
    { op: 'read', prefix: '/c' },
    { op: 'write', prefix: '/d' },
  ];

  test('are those of the operation', () => {
    expect(granted(files, 'read')).toEqual(['/a', '/b/out', '/c']);
    expect(granted(files, 'write')).toEqual(['/a/in', '/b', '/d']);
  });

  test('for two operations are those where both are', () => {
    expect(granted(files, 'read', 'write')).toEqual(['/a/in', '/b/out']);
  });
});
