import { type CommandResult, InvalidArgumentError } from '../errors.js';
import type { Commands } from './commands.js';
import type { GitOptions, GitPullOptions } from './git-options.js';
import { type GitAccess, gitAccess, givenCredentials, remoteError, requireHttp } from './git-remote.js';
import { shellQuote } from './shell-quote.js';

/** Runs git by the commands of a sandbox. */
export class GitRunner {
  readonly #commands: Commands;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  /** @param secrets what the command line takes from the environment. */
  async run(
    command: string,
    options: GitOptions,
    secrets: Record<string, string> = {},
  ): Promise<CommandResult> {
    const { cwd, user, timeoutMs, requestTimeoutMs, signal } = options;
    return this.#commands.run(command, {
      ...(cwd !== undefined && { cwd }),
      ...(user !== undefined && { user }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
      ...(signal && { signal }),
      // Nobody is there to be asked; and what git says is read here.
      envs: { GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C.UTF-8', ...options.envs, ...secrets },
    });
  }

  /** The same for what talks to a remote: its refusals have errors of their own. */
  async runRemote(
    what: string,
    command: string,
    options: GitOptions,
    secrets?: Record<string, string>,
  ): Promise<CommandResult> {
    try {
      return await this.run(command, options, secrets);
    } catch (error) {
      throw remoteError(what, error);
    }
  }

  /** What lets git use the credentials that were given, if there are any, and the remote that they are for. */
  async access(
    what: string,
    path: string,
    options: GitPullOptions,
    push: boolean,
  ): Promise<(GitAccess & { remote: string }) | undefined> {
    const credentials = givenCredentials(what, options);
    if (!credentials) return undefined;
    const remote = options.remote ?? (await this.#onlyRemote(what, path, options));
    const url = await this.remoteUrl(path, remote, options, push);
    requireHttp(what, url);
    return { ...gitAccess(url, credentials), remote };
  }

  async #onlyRemote(what: string, path: string, options: GitOptions): Promise<string> {
    const { stdout } = await this.run(gitCommand(['remote'], path), options);
    const [remote, ...others] = stdout.split('\n').filter(Boolean);
    if (remote !== undefined && others.length === 0) return remote;
    throw new InvalidArgumentError(
      `${what}: the repository has ${others.length === 0 ? 'no remote' : 'several remotes'}: pass the remote that the credentials are for.`,
    );
  }

  async remoteUrl(path: string, remote: string, options: GitOptions, push = false): Promise<string> {
    const args = ['remote', 'get-url', ...(push ? ['--push'] : []), remote];
    return (await this.run(gitCommand(args, path), options)).stdout.trim();
  }
}

/** The command line of a call of git, in a repository. */
export function gitCommand(args: readonly string[], path?: string): string {
  return ['git', ...(path === undefined ? [] : ['-C', path]), ...args].map(shellQuote).join(' ');
}
