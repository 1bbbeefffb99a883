import { decodeEntry, type EntryInfo } from './file-entry.js';
import type { FilesystemEvent as EventMessage } from './messages/filesystem.js';

/** What happened to an entry of a watched directory. */
export const FilesystemEventType = {
  CHMOD: 'chmod',
  CREATE: 'create',
  REMOVE: 'remove',
  /** It has another name now, or is elsewhere: under a new name in the same directory there is a `create` as well. */
  RENAME: 'rename',
  WRITE: 'write',
} as const;
export type FilesystemEventType = (typeof FilesystemEventType)[keyof typeof FilesystemEventType];

/** Something that happened in a watched directory. One change may be told as several. */
export interface FilesystemEvent {
  /** The entry's path below the watched directory; `.` for that directory itself. */
  name: string;
  type: FilesystemEventType;
  /** With `includeEntry`, for what was made, written or given other permissions, if it was still there to look at. */
  entry?: EntryInfo;
}

/** By their numbers on the wire. */
const types: readonly (FilesystemEventType | undefined)[] = [
  undefined,
  'create',
  'write',
  'remove',
  'rename',
  'chmod',
];

/** Decodes an event; undefined for a kind that is not known here. */
export function decodeFilesystemEvent({ name, type, entry }: EventMessage): FilesystemEvent | undefined {
  const known = types[type];
  return known && { name, type: known, ...(entry && { entry: decodeEntry(entry) }) };
}
