import { HttpError, UnknownUserError } from '../errors.js';
import { type User, userNamed } from '../users.js';

/** The user that the `username` parameter names; 401 when there is none of that name. */
export function userOfQuery(query: URLSearchParams): User {
  const name = query.get('username');
  try {
    return userNamed(name);
  } catch (error) {
    if (!(error instanceof UnknownUserError)) throw error;
    throw new HttpError(401, `error looking up user '${name}': user: unknown user ${name}`);
  }
}
