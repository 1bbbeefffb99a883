import { CommandExitError, type CommandResult, InvalidArgumentError } from '../errors.js';
import { anyText, check, checkOptions } from '../transport/check-options.js';
import type { Commands } from './commands.js';
import {
  type GitAddOptions,
  type GitAuthenticateOptions,
  type GitCloneOptions,
  type GitCommitOptions,
  type GitConfigOptions,
  type GitDeleteBranchOptions,
  type GitInitOptions,
  type GitOptions,
  type GitPullOptions,
  type GitPushOptions,
  type GitRemoteAddOptions,
  type GitResetOptions,
  type GitRestoreOptions,
  gitName,
  gitRules,
  gitSecret,
} from './git-options.js';
import { directoryOf, gitAccess, givenCredentials, joinUrl, requireHttp, splitUrl } from './git-remote.js';
import { GitRunner, gitCommand as git } from './git-runner.js';
import { type GitBranches, type GitStatus, parseBranches, parseStatus } from './git-status.js';
import { directory } from './process-rules.js';
import { shellQuote } from './shell-quote.js';

/**
 * Git in a sandbox whose template has it, with the names of the official SDK (which wants to give its own up: anything
 * else is `commands.run('git …')`). Paths are those of commands: absolute, or below the working directory.
 *
 * Every method throws `CommandExitError`, with git's words in `stderr`, where git fails; those that talk to a remote
 * `GitAuthError` where it wants credentials, or others.
 */
export class Git {
  readonly #git: GitRunner;

  /** @param commands those of the sandbox: `new Git(sandbox.commands)`. */
  constructor(commands: Commands) {
    this.#git = new GitRunner(commands);
  }

  /**
   * Clones a repository. Credentials in the URL are not kept either, unless `dangerouslyStoreCredentials` says so.
   * @throws {GitAuthError}
   */
  async clone(url: string, options: GitCloneOptions = {}): Promise<CommandResult> {
    const what = 'git.clone';
    check(`${what}: url`, url, gitName);
    checkOptions(what, options, gitRules);
    const { url: plainUrl, credentials: inUrl } = splitUrl(url);
    const credentials = givenCredentials(what, options) ?? inUrl;
    const { branch, depth, dangerouslyStoreCredentials: stores } = options;
    const path = options.path ?? (credentials && stores ? directoryOf(plainUrl) : undefined);
    const args = [
      'clone',
      ...(branch === undefined ? [] : ['--branch', branch, '--single-branch']),
      ...(depth === undefined ? [] : ['--depth', String(depth)]),
      '--',
      plainUrl,
      ...(path === undefined ? [] : [path]),
    ];
    if (!credentials) return this.#git.runRemote(what, git(args), options);
    requireHttp(what, plainUrl);
    const access = gitAccess(plainUrl, credentials);
    const clone = git([...access.config, ...args]);
    if (!stores || path === undefined) return this.#git.runRemote(what, clone, options, access.envs);
    const envs = { ...access.envs, E2B_GIT_URL: joinUrl(plainUrl, credentials) };
    const store = `${git(['remote', 'set-url', 'origin'], path)} "$E2B_GIT_URL"`;
    return this.#git.runRemote(what, `${clone} && ${store}`, options, envs);
  }

  /** Makes a repository; the directory too. */
  async init(path: string, options: GitInitOptions = {}): Promise<CommandResult> {
    this.#check('git.init', path, options);
    const { bare, initialBranch } = options;
    const branch = initialBranch === undefined ? [] : ['--initial-branch', initialBranch];
    return this.#git.run(git(['init', ...branch, ...(bare ? ['--bare'] : []), '--', path]), options);
  }

  /** Adds a remote. */
  async remoteAdd(
    path: string,
    name: string,
    url: string,
    options: GitRemoteAddOptions = {},
  ): Promise<CommandResult> {
    const what = 'git.remoteAdd';
    this.#check(what, path, options, { name, url });
    let command = git(['remote', 'add', name, url], path);
    if (options.overwrite) command = `{ ${git(['remote', 'set-url', name, url], path)} 2>&- || ${command}; }`;
    if (options.fetch) command = `${command} && ${git(['fetch', name], path)}`;
    return this.#git.runRemote(what, command, options);
  }

  /** The URL of a remote; undefined when there is none of that name. */
  async remoteGet(path: string, name: string, options: GitOptions = {}): Promise<string | undefined> {
    this.#check('git.remoteGet', path, options, { name });
    try {
      return await this.#git.remoteUrl(path, name, options);
    } catch (error) {
      if (error instanceof CommandExitError && /no such remote/i.test(error.stderr)) return undefined;
      throw error;
    }
  }

  /** What has changed since the last commit, and how far the branch is from its upstream. */
  async status(path: string, options: GitOptions = {}): Promise<GitStatus> {
    this.#check('git.status', path, options);
    const { stdout } = await this.#git.run(
      git(['status', '--porcelain=v2', '--branch', '-z'], path),
      options,
    );
    return parseStatus(stdout);
  }

  /** The local branches. */
  async branches(path: string, options: GitOptions = {}): Promise<GitBranches> {
    this.#check('git.branches', path, options);
    const format = '--format=%(HEAD)%(refname:lstrip=2)';
    const { stdout } = await this.#git.run(git(['for-each-ref', format, 'refs/heads'], path), options);
    return parseBranches(stdout);
  }

  /** Makes a branch, and checks it out. */
  async createBranch(path: string, branch: string, options: GitOptions = {}): Promise<CommandResult> {
    this.#check('git.createBranch', path, options, { branch });
    return this.#git.run(git(['checkout', '-b', branch], path), options);
  }

  /** Checks a branch out. */
  async checkoutBranch(path: string, branch: string, options: GitOptions = {}): Promise<CommandResult> {
    this.#check('git.checkoutBranch', path, options, { branch });
    return this.#git.run(git(['checkout', branch, '--'], path), options);
  }

  /** Deletes a local branch. */
  async deleteBranch(
    path: string,
    branch: string,
    options: GitDeleteBranchOptions = {},
  ): Promise<CommandResult> {
    this.#check('git.deleteBranch', path, options, { branch });
    return this.#git.run(git(['branch', options.force ? '-D' : '-d', branch], path), options);
  }

  /** Adds changes to the index. */
  async add(path: string, options: GitAddOptions = {}): Promise<CommandResult> {
    this.#check('git.add', path, options);
    const { files = [], all = true } = options;
    const what = files.length > 0 ? ['--', ...files] : [all ? '-A' : '.'];
    return this.#git.run(git(['add', ...what], path), options);
  }

  /** Commits what is in the index. */
  async commit(path: string, message: string, options: GitCommitOptions = {}): Promise<CommandResult> {
    this.#check('git.commit', path, options);
    check('git.commit: message', message, anyText);
    const { authorName, authorEmail, allowEmpty } = options;
    const author = [
      ...(authorName ? ['-c', `user.name=${authorName}`] : []),
      ...(authorEmail ? ['-c', `user.email=${authorEmail}`] : []),
    ];
    const commit = ['commit', '-m', message, ...(allowEmpty ? ['--allow-empty'] : [])];
    return this.#git.run(git([...author, ...commit], path), options);
  }

  /** Sets HEAD, and by the mode the index and the files, to a commit; or the index alone, for some paths. */
  async reset(path: string, options: GitResetOptions = {}): Promise<CommandResult> {
    this.#check('git.reset', path, options);
    const { mode, target, paths = [] } = options;
    const commit = [...(mode ? [`--${mode}`] : []), ...(target ? [target] : [])];
    // Without the dashes a target that is the name of a file as well is refused.
    return this.#git.run(git(['reset', ...commit, '--', ...paths], path), options);
  }

  /** Restores files, or what is in the index of them. */
  async restore(path: string, options: GitRestoreOptions): Promise<CommandResult> {
    const what = 'git.restore';
    this.#check(what, path, options);
    const { paths, staged = false, worktree = !staged, source } = options;
    if (!(paths?.length > 0)) throw new InvalidArgumentError(`${what}: paths is empty: ['.'] is all.`);
    if (!staged && !worktree) {
      throw new InvalidArgumentError(`${what}: staged and worktree are both false: that restores nothing.`);
    }
    const args = [
      ...(worktree ? ['--worktree'] : []),
      ...(staged ? ['--staged'] : []),
      ...(source ? ['--source', source] : []),
    ];
    return this.#git.run(git(['restore', ...args, '--', ...paths], path), options);
  }

  /**
   * Pushes the current branch, or the one that is named.
   * @throws {GitAuthError}
   * @throws {GitUpstreamError} the branch has no upstream, and none was named.
   */
  async push(path: string, options: GitPushOptions = {}): Promise<CommandResult> {
    const what = 'git.push';
    this.#check(what, path, options);
    const { branch, setUpstream = true } = options;
    const access = await this.#git.access(what, path, options, true);
    const remote = options.remote ?? access?.remote;
    const target = remote ? [...(setUpstream ? ['--set-upstream'] : []), remote] : [];
    const args = [...(access?.config ?? []), 'push', ...target, ...(branch ? [branch] : [])];
    return this.#git.runRemote(what, git(args, path), options, access?.envs);
  }

  /**
   * Gets what is new in the branch's upstream, or in the branch that is named, and merges it.
   * @throws {GitAuthError}
   * @throws {GitUpstreamError} the branch has no upstream, and none was named.
   */
  async pull(path: string, options: GitPullOptions = {}): Promise<CommandResult> {
    const what = 'git.pull';
    this.#check(what, path, options);
    const { branch } = options;
    const access = await this.#git.access(what, path, options, false);
    const remote = options.remote ?? (branch ? access?.remote : undefined);
    const source = [...(remote ? [remote] : []), ...(branch ? [branch] : [])];
    return this.#git.runRemote(
      what,
      git([...(access?.config ?? []), 'pull', ...source], path),
      options,
      access?.envs,
    );
  }

  /** Sets a value of the configuration: of the user, unless `scope` says otherwise. */
  async setConfig(key: string, value: string, options: GitConfigOptions = {}): Promise<CommandResult> {
    check('git.setConfig: key', key, gitName);
    check('git.setConfig: value', value, anyText);
    return this.#git.run(configCommand('git.setConfig', [[key, value]], options), options);
  }

  /** A value of the configuration; undefined when it is not set in that scope, or empty. */
  async getConfig(key: string, options: GitConfigOptions = {}): Promise<string | undefined> {
    check('git.getConfig: key', key, gitName);
    try {
      const { stdout } = await this.#git.run(
        configCommand('git.getConfig', [['--get', key]], options),
        options,
      );
      return stdout.trim() || undefined;
    } catch (error) {
      if (error instanceof CommandExitError && error.exitCode === 1) return undefined;
      throw error;
    }
  }

  /** Sets whom commits are by: of the user, unless `scope` says otherwise. */
  async configureUser(name: string, email: string, options: GitConfigOptions = {}): Promise<CommandResult> {
    const what = 'git.configureUser';
    check(`${what}: name`, name, gitName);
    check(`${what}: email`, email, gitName);
    const values = Object.entries({ 'user.name': name, 'user.email': email });
    return this.#git.run(configCommand(what, values, options), options);
  }

  /**
   * Stores credentials for a host in the user's home, in clear text, where everything in the sandbox can read them. Those
   * that are given to `clone`, `push` and `pull` are not kept.
   */
  async dangerouslyAuthenticate(options: GitAuthenticateOptions): Promise<CommandResult> {
    const what = 'git.dangerouslyAuthenticate';
    checkOptions(what, options, gitRules);
    const { username, password, host = 'github.com', protocol = 'https' } = options;
    for (const [name, value] of Object.entries({ username, password })) {
      check(`${what}: ${name}`, value, gitSecret);
    }
    const envs = { E2B_GIT_USERNAME: username, E2B_GIT_PASSWORD: password };
    const words = [protocol.trim(), host.trim()].map(shellQuote).join(' ');
    const said = `printf 'protocol=%s\\nhost=%s\\nusername=%s\\npassword=%s\\n\\n' ${words} "$E2B_GIT_USERNAME" "$E2B_GIT_PASSWORD"`;
    const store = git(['config', '--global', 'credential.helper', 'store']);
    return this.#git.run(`${store} && ${said} | ${git(['credential', 'approve'])}`, options, envs);
  }

  #check(what: string, path: string, options: GitOptions, names: Record<string, string> = {}): void {
    check(`${what}: path`, path, directory);
    for (const [name, value] of Object.entries(names)) check(`${what}: ${name}`, value, gitName);
    checkOptions(what, options, gitRules);
  }
}

function configCommand(what: string, values: readonly [string, string][], options: GitConfigOptions): string {
  checkOptions(what, options, gitRules);
  const { scope = 'global', path } = options;
  if (scope === 'local' && path === undefined) {
    throw new InvalidArgumentError(`${what}: the scope "local" needs the path of the repository.`);
  }
  return values
    .map((words) => git(['config', `--${scope}`, ...words], scope === 'local' ? path : undefined))
    .join(' && ');
}
