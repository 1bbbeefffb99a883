import { describe, expect, test } from 'vitest';
import { changesOf } from '../../../src/local/envd/filesystem/watching/changes-of.js';
import type { EntryRecord } from '../../../src/local/envd/filesystem/watching/entry-record.js';
import { EventType } from '../../../src/wire/gen/filesystem/filesystem_pb.js';

const { CREATE, WRITE, CHMOD, REMOVE } = EventType;

/** A file that was made and written at one moment. */
const fresh: EntryRecord = {
  ...{ ino: 7, birthtimeMs: 1000, size: 6, mode: 0o100644, uid: 0, gid: 0, isDirectory: false },
  ...{ atimeMs: 1000, mtimeMs: 1000, ctimeMs: 1000 },
};
const changed = { renames: 0, changes: 1 };

describe('the kernel speaks of a change that was seen already', () => {
  test('a write to a new file is no change of its attributes', () => {
    expect(changesOf(undefined, fresh, { renames: 1, changes: 0 }, REMOVE)).toEqual([CREATE]);
    expect(changesOf(fresh, fresh, changed, REMOVE)).toEqual([WRITE]);
  });

  test('nor is the second write', () => {
    const longer = { ...fresh, size: 12, mtimeMs: 1004, ctimeMs: 1004 };
    expect(changesOf(fresh, longer, changed, REMOVE)).toEqual([WRITE]);
    expect(changesOf(longer, longer, changed, REMOVE)).toEqual([WRITE]);
  });

  test('chmod is one', () => {
    const other = { ...fresh, mode: 0o100640, ctimeMs: 1004 };
    expect(changesOf(other, other, changed, REMOVE)).toEqual([CHMOD]);
  });

  test('touching an empty file is one', () => {
    const empty = { ...fresh, size: 0 };
    expect(changesOf(empty, empty, changed, REMOVE)).toEqual([CHMOD]);
  });
});

test('touching is told as attributes and content, as it may have been both', () => {
  const touched = { ...fresh, atimeMs: 1004, mtimeMs: 1004, ctimeMs: 1004 };
  expect(changesOf(fresh, touched, changed, REMOVE)).toEqual([CHMOD, WRITE]);
});

test('of a file that nothing was known of, both are told in doubt', () => {
  expect(changesOf(undefined, fresh, changed, REMOVE)).toEqual([CHMOD, WRITE]);
});

test('writing as much as there was is a write', () => {
  const again = { ...fresh, mtimeMs: 1004, ctimeMs: 1004 };
  expect(changesOf(fresh, again, changed, REMOVE)).toEqual([WRITE]);
});
