import { type BigIntStats, constants } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { type EntryInfo, EntryInfoSchema, FileType } from '../../../wire/gen/filesystem/filesystem_pb.js';
import type { PathSpace } from '../paths.js';
import { readMetadata } from './metadata.js';
import { OwnerNames } from './owner-names.js';

const nanosecondsASecond = 1_000_000_000n;

/**
 * What is known about one entry. `path` is the client's name of it. `type`, `mode` and `metadata` are those of a
 * symlink's target, everything else is the link's own. Rejects as lstat(2) does.
 */
export async function entryInfo(
  path: string,
  paths: PathSpace,
  names: OwnerNames = new OwnerNames(),
): Promise<EntryInfo> {
  const entry = await paths.entry(path);
  const own = await lstat(entry, { bigint: true });
  const isLink = own.isSymbolicLink();
  const resolved = isLink ? await realpath(entry).catch(() => undefined) : entry;
  const target = isLink ? await stat(entry, { bigint: true }).catch(() => undefined) : own;
  return create(EntryInfoSchema, {
    name: basename(path) || '/',
    path,
    type: fileType(target),
    mode: target ? Number(target.mode) & 0o777 : 0,
    permissions: modeString(own),
    size: own.size,
    owner: names.user(Number(own.uid)),
    group: names.group(Number(own.gid)),
    ...(own.mtimeNs !== 0n && { modifiedTime: timestamp(own.mtimeNs) }),
    metadata: resolved === undefined ? {} : Object.fromEntries(readMetadata(resolved)),
    ...(isLink && { symlinkTarget: resolved === undefined ? path : paths.name(resolved) }),
  });
}

function timestamp(time: bigint): { seconds: bigint; nanos: number } {
  const nanos = ((time % nanosecondsASecond) + nanosecondsASecond) % nanosecondsASecond;
  return { seconds: (time - nanos) / nanosecondsASecond, nanos: Number(nanos) };
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
