import { type EntryInfo as EntryMessage, FileType as FileTypeMessage } from './messages/filesystem.js';

/** What an entry of a directory is; of a symbolic link, what it leads to. */
export const FileType = { FILE: 'file', DIR: 'dir', SYMLINK: 'symlink' } as const;
export type FileType = (typeof FileType)[keyof typeof FileType];

/** What is known of a file after writing it. */
export interface WriteInfo {
  name: string;
  /** Absent for what is neither file nor directory: a socket, a device, a link that leads nowhere. */
  type?: FileType;
  path: string;
  /** Your own labels (envd 0.6.2). */
  metadata?: Record<string, string>;
}

/** An entry of a directory. */
export interface EntryInfo extends WriteInfo {
  /** In bytes, exact up to 2^53; of a link the length of its target. */
  size: number;
  /** The permission bits, as in `0o644`; of a link those of its target. */
  mode: number;
  /** As `ls -l` shows them, but with a capital `L` for a link. */
  permissions: string;
  owner: string;
  group: string;
  modifiedTime?: Date;
  /** Present exactly for symbolic links: where it leads, or its own path when it leads nowhere. */
  symlinkTarget?: string;
}

const types: Record<number, FileType | undefined> = {
  [FileTypeMessage.FILE]: FileType.FILE,
  [FileTypeMessage.DIRECTORY]: FileType.DIR,
  [FileTypeMessage.SYMLINK]: FileType.SYMLINK,
};

/** Decodes an entry. */
export function decodeEntry(entry: EntryMessage): EntryInfo {
  const type = types[entry.type];
  const time = entry.modifiedTime;
  return {
    name: entry.name,
    ...(type && { type }),
    path: entry.path,
    size: Number(entry.size),
    mode: entry.mode,
    permissions: entry.permissions,
    owner: entry.owner,
    group: entry.group,
    ...(time && { modifiedTime: new Date(Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6)) }),
    ...(entry.symlinkTarget !== undefined && { symlinkTarget: entry.symlinkTarget }),
    ...(Object.keys(entry.metadata).length > 0 && { metadata: entry.metadata }),
  };
}
