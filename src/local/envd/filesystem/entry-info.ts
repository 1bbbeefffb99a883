import { type BigIntStats, constants } from 'node:fs';
import { lstat, readFile, realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { type EntryInfo, EntryInfoSchema, FileType } from '../../../wire/gen/filesystem/filesystem_pb.js';
import type { PathSpace } from '../paths.js';

const nanosecondsASecond = 1_000_000_000n;

/**
 * What is known about one entry. `path` is the client's name of it. `type` and `mode` are those of a symlink's
 * target, everything else is the link's own. Rejects as lstat(2) does.
 */
export async function entryInfo(path: string, paths: PathSpace): Promise<EntryInfo> {
  const entry = await paths.entry(path);
  const own = await lstat(entry, { bigint: true });
  const isLink = own.isSymbolicLink();
  const target = isLink ? await stat(entry, { bigint: true }).catch(() => undefined) : own;
  const [owner, group] = await Promise.all([
    nameOf(Number(own.uid), '/etc/passwd'),
    nameOf(Number(own.gid), '/etc/group'),
  ]);
  return create(EntryInfoSchema, {
    name: basename(path),
    path,
    type: fileType(target),
    mode: target ? Number(target.mode) & 0o777 : 0,
    permissions: modeString(own),
    size: own.size,
    owner,
    group,
    modifiedTime: {
      seconds: own.mtimeNs / nanosecondsASecond,
      nanos: Number(own.mtimeNs % nanosecondsASecond),
    },
    ...(isLink && { symlinkTarget: await resolved(entry, path, paths) }),
  });
}

async function resolved(entry: string, path: string, paths: PathSpace): Promise<string> {
  return realpath(entry).then(
    (real) => paths.name(real),
    () => path,
  );
}

function fileType(target: BigIntStats | undefined): FileType {
  if (target?.isFile()) return FileType.FILE;
  if (target?.isDirectory()) return FileType.DIRECTORY;
  return FileType.UNSPECIFIED;
}

/** The type as Go spells it: every letter that applies, in this order. */
function modeString(stats: BigIntStats): string {
  const mode = Number(stats.mode);
  const letters = [
    stats.isDirectory() && 'd',
    stats.isSymbolicLink() && 'L',
    (stats.isBlockDevice() || stats.isCharacterDevice()) && 'D',
    stats.isFIFO() && 'p',
    stats.isSocket() && 'S',
    (mode & 0o4000) !== 0 && 'u',
    (mode & 0o2000) !== 0 && 'g',
    stats.isCharacterDevice() && 'c',
    (mode & 0o1000) !== 0 && 't',
  ];
  const permissions = [...'rwxrwxrwx'].map((letter, at) => (mode & (constants.S_IRUSR >> at) ? letter : '-'));
  return (letters.filter(Boolean).join('') || '-') + permissions.join('');
}

const names = new Map<string, Promise<ReadonlyMap<number, string>>>();

/** The name of a uid or gid by that table; its number when it has none there. */
async function nameOf(id: number, table: string): Promise<string> {
  let known = names.get(table);
  if (!known) {
    known = readNames(table);
    names.set(table, known);
  }
  return (await known).get(id) ?? String(id);
}

async function readNames(table: string): Promise<ReadonlyMap<number, string>> {
  const text = await readFile(table, 'utf8').catch(() => '');
  const rows = text.split('\n').map((line) => line.split(':'));
  return new Map(rows.filter((row) => row.length > 2).map((row) => [Number(row[2]), row[0]!]));
}
