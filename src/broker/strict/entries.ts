/** What the programs of strict mode tell of files, as envd would. */

import { type EntryInfo, FileType } from '../../wire/messages/filesystem.js';

const fileTypes: Record<string, FileType> = { f: FileType.FILE, d: FileType.DIRECTORY };
/** Go's letters for kinds of files, which envd has in the permissions. */
const kindLetters: Record<string, string> = { d: 'd', l: 'L', b: 'D', c: 'Dc', p: 'p', s: 'S' };
const recordFields = 8;

/**
 * Reads records.
 * @param base what the names in them are below; an entry without a name is the base itself.
 */
export function readEntries(output: Uint8Array, base: string): EntryInfo[] {
  // What is no UTF-8 in a name is replaced: there is no way to say it in a message.
  const fields = new TextDecoder().decode(output).split('\0');
  const entries = new Map<string, EntryInfo>();
  for (let at = 0; at < fields.length - 1; ) {
    const rest = fields.slice(at + 1, at + 1 + recordFields);
    if (fields[at] === 'e') {
      const entry = entryOf(rest, base);
      entries.set(rest[recordFields - 1] as string, entry);
      at += recordFields + 1;
    } else {
      const [name = '', symlinkTarget = '', mode = ''] = rest;
      const entry = entries.get(name) ?? entries.get('');
      if (entry) Object.assign(entry, { symlinkTarget, mode: octal(mode) & 0o777 });
      at += 4;
    }
  }
  return [...entries.values()].sort((one, other) => (orderKey(one) < orderKey(other) ? -1 : 1));
}

function entryOf(fields: readonly string[], base: string): EntryInfo {
  const [kind = '', targetKind = '', mode = '', size, time = '', owner = '', group = '', below = ''] = fields;
  const path = below === '' ? base : `${base === '/' ? '' : base}/${below}`;
  const [seconds, fraction = ''] = time.split('.');
  return {
    name: path.slice(path.lastIndexOf('/') + 1) || '/',
    type: fileTypes[targetKind] ?? FileType.UNSPECIFIED,
    path,
    size: Number(size),
    mode: octal(mode) & 0o777,
    permissions: permissions(kind, octal(mode)),
    owner,
    group,
    modifiedTime: { seconds: Number(seconds), nanos: Number(fraction.padEnd(9, '0').slice(0, 9)) },
    metadata: {},
  };
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
