/** What the programs of strict mode tell of files, as envd would. */

import { type EntryInfo, FileType } from '../../wire/messages/filesystem.js';

const fileTypes: Record<string, FileType> = { f: FileType.FILE, d: FileType.DIRECTORY };
/** Go's letters for kinds of files, which envd has in the permissions. */
const kindLetters: Record<string, string> = { d: 'd', l: 'L', b: 'D', c: 'Dc', p: 'p', s: 'S' };
/** What the programs print of an entry, and of a symlink. */
type EntryFields = [
  kind: string,
  targetKind: string,
  mode: string,
  size: string,
  /** Seconds, a point, and nanoseconds with a digit more. */
  time: string,
  owner: string,
  group: string,
  /** What it is named below the base. */
  below: string,
];
type LinkFields = [below: string, target: string, mode: string];
const entryFields = 8;
const linkFields = 3;

/**
 * Reads records.
 * @param base what the names in them are below; an entry without a name is the base itself.
 */
export function readEntries(output: Uint8Array, base: string): EntryInfo[] {
  // What is no UTF-8 in a name is replaced: there is no way to say it in a message.
  const fields = new TextDecoder().decode(output).split('\0');
  const entries = new Map<string, EntryInfo>();
  for (let at = 0; at < fields.length - 1; ) {
    const from = at + 1;
    if (fields[at] === 'e') {
      at = from + entryFields;
      const entry = entryOf(fields.slice(from, at) as EntryFields, base);
      entries.set(entry.path, entry);
    } else {
      at = from + linkFields;
      const [below, symlinkTarget, mode] = fields.slice(from, at) as LinkFields;
      const entry = entries.get(pathOf(below, base)) ?? entries.get(base);
      if (entry) Object.assign(entry, { symlinkTarget, mode: octal(mode) & 0o777 });
    }
  }
  return [...entries.values()].sort((one, other) => (orderKey(one) < orderKey(other) ? -1 : 1));
}

function entryOf(fields: EntryFields, base: string): EntryInfo {
  const [kind, targetKind, mode, size, time, owner, group, below] = fields;
  const path = pathOf(below, base);
  const [seconds, fraction] = time.split('.') as [string, string];
  return {
    name: path.slice(path.lastIndexOf('/') + 1) || '/',
    type: fileTypes[targetKind] ?? FileType.UNSPECIFIED,
    path,
    size: Number(size),
    mode: octal(mode) & 0o777,
    permissions: permissions(kind, octal(mode)),
    owner,
    group,
    modifiedTime: { seconds: Number(seconds), nanos: Number(fraction.slice(0, 9)) },
    metadata: {},
  };
}

function pathOf(below: string, base: string): string {
  return below === '' ? base : `${base === '/' ? '' : base}/${below}`;
}

function permissions(kind: string, mode: number): string {
  const letters =
    (kindLetters[kind] ?? '') +
    ((mode & 0o4000) > 0 ? 'u' : '') +
    ((mode & 0o2000) > 0 ? 'g' : '') +
    ((mode & 0o1000) > 0 ? 't' : '');
  const bits = Array.from('rwxrwxrwx', (letter, index) => ((mode & (0o400 >> index)) > 0 ? letter : '-'));
  return `${letters || '-'}${bits.join('')}`;
}

function octal(digits: string): number {
  return Number.parseInt(digits, 8) || 0;
}

/** Directories come before what is in them, and that before their next sibling. */
function orderKey({ path }: EntryInfo): string {
  return path.replaceAll('/', '\0');
}
