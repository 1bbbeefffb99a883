import { readFileSync } from 'node:fs';

/** What `/etc/passwd` and `/etc/group` say about one name. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** The groups that name it as a member, beside its own. */
  readonly groups: readonly number[];
}

/** The two files' text. They are asked for at each look-up, because programs add users. */
export interface AccountFiles {
  passwd(): string;
  group(): string;
}

/** Those of this process's file system. */
export const systemAccounts: AccountFiles = {
  passwd: () => textOf('/etc/passwd'),
  group: () => textOf('/etc/group'),
};

/** For a sandbox without an `/etc` of its own. */
export const builtInAccounts: AccountFiles = {
  passwd: () => 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n',
  group: () => '',
};

/** The account of that name, or `undefined`. Lines that do not have the right form are passed over. */
export function findAccount(files: AccountFiles, name: string): Account | undefined {
  for (const [entry, , uid, gid, , home] of rowsOf(files.passwd())) {
    if (entry !== name || !isId(uid) || !isId(gid) || home === undefined) continue;
    const own = Number(gid);
    return {
      name,
      uid: Number(uid),
      gid: own,
      home,
      groups: groupsOf(files, name).filter((it) => it !== own),
    };
  }
  return undefined;
}

function groupsOf(files: AccountFiles, name: string): number[] {
  return rowsOf(files.group())
    .filter(([, , gid, members]) => isId(gid) && members?.split(',').includes(name))
    .map(([, , gid]) => Number(gid));
}

function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !/^[#+-]/.test(line))
    .map((line) => line.split(':'));
}

function isId(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
