import { readFileSync } from 'node:fs';

/** The names of users and groups, as they are while one request is answered: programs add some. */
export class OwnerNames {
  #users: ReadonlyMap<number, string> | undefined;
  #groups: ReadonlyMap<number, string> | undefined;

  /** The name of a uid; its number when it has none. */
  user(uid: number): string {
    this.#users ??= readNames('/etc/passwd');
    return this.#users.get(uid) ?? String(uid);
  }

  /** The name of a gid; its number when it has none. */
  group(gid: number): string {
    this.#groups ??= readNames('/etc/group');
    return this.#groups.get(gid) ?? String(gid);
  }
}

function readNames(table: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of textOf(table).split('\n')) {
    const [name, , id] = line.split(':');
    // Of several names for one number the first counts.
    if (name && id && /^\d+$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
