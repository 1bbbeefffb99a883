import { UnknownUserError } from './errors.js';

/** Whom a process runs as and whose home `~` is. */
export interface User {
  readonly name: string;
  readonly home: string;
}

/**
 * The namespace maps one uid only, so `root` is a name: it has root's home and environment but the rights of
 * `user`. (The directories of a local sandbox belong to that uid, so most of what root is asked for works.)
 */
const users: ReadonlyMap<string, User> = new Map(
  [
    { name: 'user', home: '/home/user' },
    { name: 'root', home: '/root' },
  ].map((user) => [user.name, user]),
);

/** The user of that name; without one, the default user. */
export function userNamed(name: string | null | undefined): User {
  const user = users.get(name || 'user');
  if (!user) throw new UnknownUserError(`invalid username: '${name}'`);
  return user;
}

/** The user that `Authorization: Basic base64("name:")` asks for; any other header means the default user. */
export function userOfAuthorization(header: string | null | undefined): User {
  const encoded = /^Basic\s+(\S+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return userNamed(undefined);
  return userNamed(Buffer.from(encoded, 'base64').toString('utf8').split(':', 1)[0]);
}
