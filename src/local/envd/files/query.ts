import { HttpError, UnknownUserError } from '../errors.js';
import type { User, Users } from '../users.js';

/** The user that a request names, or the default user; 401 when there is none of that name. */
export function requestedUser(users: Users, name: string | null | undefined): User {
  try {
    return users.named(name);
  } catch (error) {
    if (!(error instanceof UnknownUserError)) throw error;
    const unknown = name ?? users.defaultName;
    throw new HttpError(401, `error looking up user '${unknown}': user: unknown user ${unknown}`);
  }
}

/** The `path` parameter, or `null`. 400 when it is not text: as a path it would name another file. */
export function requestedPath(url: string, query: URLSearchParams): string | null {
  const path = query.get('path');
  if (path?.includes('\ufffd') && !isText(url)) throw new HttpError(400, 'path is not valid UTF-8');
  return path;
}

function isText(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}
