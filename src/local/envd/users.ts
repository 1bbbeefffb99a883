import { type AccountFiles, findAccount } from './accounts.js';
import { UnknownUserError } from './errors.js';

/** Whom a process runs as, who owns what is created, and whose home `~` is. */
export interface User {
  readonly name: string;
  readonly home: string;
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** Whether this envd can start programs as this user and give files to it. Otherwise a user is only a name. */
  readonly assumable: boolean;
}

/** Who owns what is created for a user; `undefined` where this envd cannot change owners. */
export function ownershipOf({ assumable, uid, gid }: User): { uid: number; gid: number } | undefined {
  return assumable ? { uid, gid } : undefined;
}

/** The users of a sandbox. */
export class Users {
  /** Who is meant where nobody is named. */
  defaultName = 'user';
  readonly #files: AccountFiles;
  readonly #assumable: boolean;

  /** `assumable`: envd is root in a namespace that has all of these users. */
  constructor(files: AccountFiles, assumable: boolean) {
    this.#files = files;
    this.#assumable = assumable;
  }

  /** The user of that name; without one, the default user. Throws `UnknownUserError`. */
  named(name: string | null | undefined): User {
    const account = findAccount(this.#files, name ?? this.defaultName);
    if (account) return { ...account, assumable: this.#assumable };
    const kind = name == null ? 'default user' : 'username';
    throw new UnknownUserError(`invalid ${kind}: '${name ?? this.defaultName}'`);
  }

  /** The user that `Authorization: Basic base64("name:")` asks for; any other header means the default user. */
  ofAuthorization(header: string | null | undefined): User {
    return this.named(nameOfAuthorization(header));
  }

  /** Throws `UnknownUserError` when that header names nobody who exists; the default user may be missing. */
  check(header: string | null | undefined): void {
    const name = nameOfAuthorization(header);
    if (name !== undefined) this.named(name);
  }
}

/** Passwords are not looked at, but the colon before one has to be there. */
function nameOfAuthorization(header: string | null | undefined): string | undefined {
  const encoded = /^Basic ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/i.exec(
    header ?? '',
  )?.[1];
  if (encoded === undefined) return undefined;
  const [name, ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return password.length > 0 ? name : undefined;
}
