import { Code, ConnectError } from '@connectrpc/connect';

/** Text and code of a system error, as Go (and so envd) words the common ones. */
const errnoText: Record<string, string> = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  EAGAIN: 'resource temporarily unavailable',
  EEXIST: 'file exists',
  EINVAL: 'invalid argument',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'file name too long',
  ENOENT: 'no such file or directory',
  ENOMEM: 'cannot allocate memory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  EPERM: 'operation not permitted',
  EPIPE: 'broken pipe',
  EROFS: 'read-only file system',
  EXDEV: 'invalid cross-device link',
};

export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** What went wrong, without Node's repetition of the call and its (host) paths. */
export function reasonOf(error: unknown): string {
  const code = errnoOf(error);
  if (code !== undefined && errnoText[code] !== undefined) return errnoText[code];
  return error instanceof Error ? error.message : String(error);
}

/** A request that cannot be answered, with its HTTP status: for the endpoints that are not RPC. */
export class HttpError extends Error {
  override name = 'HttpError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A path that cannot be expanded, or that leads out of the sandbox. */
export class PathError extends Error {
  override name = 'PathError';
}

/** No such user in the sandbox. */
export class UnknownUserError extends Error {
  override name = 'UnknownUserError';
}

/** What was thrown, as a Connect error; `fallback` is for what has no code of its own. */
export function toConnectError(error: unknown, fallback: Code = Code.Internal): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof PathError) return new ConnectError(error.message, Code.InvalidArgument);
  if (error instanceof UnknownUserError) return new ConnectError(error.message, Code.Unauthenticated);
  return new ConnectError(reasonOf(error), fallback, undefined, undefined, error);
}
