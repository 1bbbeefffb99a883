import { EventType } from '../../../../wire/gen/filesystem/filesystem_pb.js';
import { type EntryRecord, isSameFile } from './entry-record.js';

/** How often the kernel said something about a name since it was last looked at. */
export interface Notices {
  /** It came or went: created, removed, moved here, moved away. */
  renames: number;
  /** What is there was written to, or its attributes were set. */
  changes: number;
}

/** What became of an entry that is not where it was. */
export type Departure = typeof EventType.REMOVE | typeof EventType.RENAME;

/**
 * What happened to a name, from what was there before, what is there now and how often the kernel said something.
 * Node does not pass on what exactly it said. Where that leaves a doubt, an event too many is told rather than one
 * too few; repetitions become one.
 */
export function changesOf(
  before: EntryRecord | undefined,
  now: EntryRecord | undefined,
  notices: Notices,
  departure: Departure,
): EventType[] {
  if (!now) {
    if (!before && notices.renames === 0) return [];
    const came = before ? [] : [EventType.CREATE];
    const written = notices.changes > 0 ? [EventType.WRITE] : [];
    return [...came, ...written, departure];
  }
  if (!before) {
    if (notices.renames === 0) return laterChanges(now, now);
    return [EventType.CREATE, ...earlyChanges(now, notices)];
  }
  if (!isSameFile(before, now)) {
    // An odd one out was moved onto the name; otherwise the old file had gone first.
    const gone = notices.renames % 2 === 0 ? [departure] : [];
    return [...gone, EventType.CREATE, ...earlyChanges(now, notices)];
  }
  return notices.changes > 0 || differs(before, now) ? laterChanges(before, now) : [];
}

/** Whether anything was done to an entry, as far as its attributes tell. */
export function differs(before: EntryRecord, now: EntryRecord): boolean {
  if (hasOtherRights(before, now)) return true;
  // What happens in a directory sets both of its times to one moment, and is told by its own watch.
  if (now.isDirectory) return before.ctimeMs !== now.ctimeMs && now.ctimeMs !== now.mtimeMs;
  return before.ctimeMs !== now.ctimeMs || before.mtimeMs !== now.mtimeMs || before.size !== now.size;
}

/** What was done to a file since it appeared. */
function earlyChanges(now: EntryRecord, { changes }: Notices): EventType[] {
  if (changes === 0) return [];
  const events: EventType[] = [];
  if (now.size === 0 || now.ctimeMs !== now.mtimeMs) events.push(EventType.CHMOD);
  if (now.size > 0) events.push(EventType.WRITE);
  return events;
}

/** What was done to something that was known. A write sets mtime and ctime to one moment, chmod(2) only ctime. */
function laterChanges(before: EntryRecord, now: EntryRecord): EventType[] {
  if (now.isDirectory) return [EventType.CHMOD];
  const resized = before.size !== now.size;
  const timesOnly = !resized && now.size === 0;
  // touch(1) looks like a write, but for atime.
  const touched = !resized && now.atimeMs === now.mtimeMs;
  const written = resized || before.mtimeMs !== now.mtimeMs || now.ctimeMs === now.mtimeMs;
  const events: EventType[] = [];
  if (touched || now.ctimeMs !== now.mtimeMs || hasOtherRights(before, now)) events.push(EventType.CHMOD);
  if (written && !timesOnly) events.push(EventType.WRITE);
  return events;
}

function hasOtherRights(before: EntryRecord, now: EntryRecord): boolean {
  return before.mode !== now.mode || before.uid !== now.uid || before.gid !== now.gid;
}
