import { lstatSync, type Stats } from 'node:fs';

/** What a watcher remembers of an entry, so that it can tell later what became of it. */
export type EntryRecord = Readonly<
  Pick<Stats, 'ino' | 'birthtimeMs' | 'size' | 'atimeMs' | 'mtimeMs' | 'ctimeMs' | 'mode' | 'uid' | 'gid'> & {
    isDirectory: boolean;
  }
>;

/** The entry as it is now; `undefined` when there is none, or none that can be looked at. */
export function lookAt(path: string): EntryRecord | undefined {
  let stats: Stats | undefined;
  try {
    stats = lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
  if (!stats) return undefined;
  // Not the whole of it: a watched tree may have a hundred thousand of these.
  const { ino, birthtimeMs, size, atimeMs, mtimeMs, ctimeMs, mode, uid, gid } = stats;
  const isDirectory = stats.isDirectory();
  return { ino, birthtimeMs, size, atimeMs, mtimeMs, ctimeMs, mode, uid, gid, isDirectory };
}

/** Whether two records are of one file. Numbers of inodes are used again at once, hence the time of birth. */
export function isSameFile(a: EntryRecord, b: EntryRecord): boolean {
  return a.ino === b.ino && a.birthtimeMs === b.birthtimeMs;
}
