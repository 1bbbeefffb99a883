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
    if (notices.renames === 0) return laterChanges(undefined, now);
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

/**
 * What was done to something that was there before, as it was when last looked at. A write sets mtime and ctime to one
 * moment, chmod(2) only ctime. Nothing differs when the last look came after the change and before the word of it.
 */
function laterChanges(before: EntryRecord | undefined, now: EntryRecord): EventType[] {
  if (now.isDirectory) return [EventType.CHMOD];
  const resized = before !== undefined && before.size !== now.size;
  const timesOnly = !resized && now.size === 0;
  const written = resized || before?.mtimeMs !== now.mtimeMs || now.ctimeMs === now.mtimeMs;
  const attributesSet = now.ctimeMs !== now.mtimeMs || (before !== undefined && hasOtherRights(before, now));
  const events: EventType[] = [];
  if (attributesSet || (!resized && wasTouched(before, now))) events.push(EventType.CHMOD);
  if (written && !timesOnly) events.push(EventType.WRITE);
  return events;
}

/** touch(1) looks like a write, but for atime; that of a new file is the moment in which it was first written, too. */
function wasTouched(before: EntryRecord | undefined, now: EntryRecord): boolean {
  if (now.atimeMs !== now.mtimeMs) return false;
  return now.size === 0 || before?.atimeMs !== now.atimeMs;
}

function hasOtherRights(before: EntryRecord, now: EntryRecord): boolean {
  return before.mode !== now.mode || before.uid !== now.uid || before.gid !== now.gid;
}
