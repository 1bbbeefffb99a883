/** Credentials on their way to git, and what git says of remotes that want others. */

import { CommandExitError, GitAuthError, GitUpstreamError, InvalidArgumentError } from '../errors.js';
import type { GitCredentials } from './git-options.js';

/** What git is given beside its arguments. */
export interface GitAccess {
  config: string[];
  envs: Record<string, string>;
}

/**
 * git runs it as a shell function and reads what it prints. The secrets come from the environment: what is in the
 * arguments can be read by every user of the sandbox.
 */
const helper =
  '!f() { if test "$1" = get; then printf "username=%s\\npassword=%s\\n" "$E2B_GIT_USERNAME" "$E2B_GIT_PASSWORD"; fi; }; f';

/**
 * Lets git use credentials for one server and no other, to which that one, or a submodule, might lead. They are the only
 * ones then, and no helper that is configured gets to store them.
 */
export function gitAccess(url: string, { username, password }: Required<GitCredentials>): GitAccess {
  const key = `credential.${new URL(url).origin}.helper`;
  return {
    config: ['-c', `${key}=`, '-c', `${key}=${helper}`],
    envs: { E2B_GIT_USERNAME: username, E2B_GIT_PASSWORD: password },
  };
}

/**
 * The credentials among the options, if there are any.
 * @throws {InvalidArgumentError} only one of the two is there.
 */
export function givenCredentials(
  what: string,
  { username, password }: GitCredentials,
): Required<GitCredentials> | undefined {
  if (password !== undefined && username === undefined) {
    throw new InvalidArgumentError(`${what}: a password was given without a username.`);
  }
  return username !== undefined && password !== undefined ? { username, password } : undefined;
}

/** @throws {InvalidArgumentError} the URL is of another kind than those that credentials are for. */
export function requireHttp(what: string, url: string): void {
  if (httpUrl(url)) return;
  throw new InvalidArgumentError(`${what}: a username and a password are for http and https URLs alone.`);
}

/** A URL without the credentials in it, and these: often a token alone, in the place of the username. */
export function splitUrl(url: string): { url: string; credentials?: Required<GitCredentials> } {
  const parsed = httpUrl(url);
  if (!parsed || (!parsed.username && !parsed.password)) return { url };
  const { username, password } = parsed;
  parsed.username = '';
  parsed.password = '';
  return {
    url: parsed.href,
    credentials: { username: decoded(username), password: decoded(password) },
  };
}

/** The opposite. */
export function joinUrl(url: string, { username, password }: Required<GitCredentials>): string {
  const parsed = new URL(url);
  // The setters take `%41` for an encoded letter.
  parsed.username = encodeURIComponent(username);
  parsed.password = encodeURIComponent(password);
  return parsed.href;
}

/** The directory into which git clones a URL. */
export function directoryOf(url: string): string {
  const last = new URL(url).pathname.replace(/\/+$/, '').split('/').pop() ?? '';
  return last.replace(/\.git$/, '');
}

const refused =
  /authentication failed|terminal prompts disabled|could not read (username|password)|invalid username or password|access denied|permission denied \(|permission to \S+ denied|not authorized|returned error: 40[13]/i;
const withoutUpstream = /no upstream (branch|configured)|no tracking information|did not specify a branch/i;

/** Tells what went wrong with a remote, where git's words do. */
export function remoteError(what: string, error: unknown): unknown {
  if (!(error instanceof CommandExitError)) return error;
  const said = `${error.stderr}\n${error.stdout}`;
  if (refused.test(said)) {
    return new GitAuthError(
      `${what}: the server wants credentials, or did not take those that it was given. Pass username and password (or a token).`,
      { cause: error },
    );
  }
  if (withoutUpstream.test(said)) {
    return new GitUpstreamError(
      `${what}: the branch has no upstream. Pass remote and branch; with setUpstream, which is the default, a push to them sets it.`,
      { cause: error },
    );
  }
  return error;
}

/** As git does it, to which a `%` may be just that. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function httpUrl(url: string): URL | undefined {
  try {
    const parsed = new URL(url);
    return /^https?:$/.test(parsed.protocol) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
