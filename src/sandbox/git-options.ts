import type { CallOptions } from '../transport/call-options.js';
import {
  anyText,
  callRules,
  flag,
  milliseconds,
  oneOf,
  type Rule,
  type Rules,
  whole,
} from '../transport/check-options.js';
import type { CommandStartOptions } from './command-options.js';
import { directory, environment, linuxUser } from './process-rules.js';

/** Options of every call of git; they are those of `commands.run`, whose default `timeoutMs` holds here too. */
export interface GitOptions
  extends CallOptions,
    Pick<CommandStartOptions, 'cwd' | 'user' | 'envs' | 'timeoutMs'> {}

/** What a server that asks for them is told. They are for `http` and `https` alone, and kept nowhere. */
export interface GitCredentials {
  username?: string;
  /** A password, or a token. */
  password?: string;
}

export interface GitCloneOptions extends GitOptions, GitCredentials {
  /** Where to. Default: the name of the repository, below the working directory. */
  path?: string;
  /** The only branch to get, in the place of the one that the server's HEAD names. */
  branch?: string;
  /** How many commits of its history to get. Default: all. */
  depth?: number;
  /** Writes the credentials into the clone's configuration, where everything in the sandbox can read them. Default false. */
  dangerouslyStoreCredentials?: boolean;
}

export interface GitInitOptions extends GitOptions {
  /** Without a working tree. Default false. */
  bare?: boolean;
  /** The name of the first branch. Default: git's own. */
  initialBranch?: string;
}

export interface GitRemoteAddOptions extends GitOptions {
  /** Fetches from it at once. Default false. */
  fetch?: boolean;
  /** Gives a remote of that name the new URL. Default false: that there is one is an error. */
  overwrite?: boolean;
}

export interface GitDeleteBranchOptions extends GitOptions {
  /** Also when its commits are on no other branch. Default false. */
  force?: boolean;
}

export interface GitAddOptions extends GitOptions {
  /** Paths below the repository. Default: everything. */
  files?: string[];
  /** Without `files`: everything, or only what is in the repository's directory as it was named. Default true. */
  all?: boolean;
}

export interface GitCommitOptions extends GitOptions {
  /** Of the author and the committer. Default: as configured. */
  authorName?: string;
  /** Of the author and the committer. Default: as configured. */
  authorEmail?: string;
  /** Commits even if nothing has changed. Default false. */
  allowEmpty?: boolean;
}

export type GitResetMode = 'soft' | 'mixed' | 'hard' | 'merge' | 'keep';

export interface GitResetOptions extends GitOptions {
  /** Default: git's own, `mixed`. */
  mode?: GitResetMode;
  /** A commit, branch or tag. Default `HEAD`. */
  target?: string;
  /** Only these, in the index. */
  paths?: string[];
}

export interface GitRestoreOptions extends GitOptions {
  /** At least one; `['.']` is all. */
  paths: string[];
  /** Restores the index. Default false. */
  staged?: boolean;
  /** Restores the files. Default: true, unless `staged` is. */
  worktree?: boolean;
  /** A commit, branch or tag. Default: the index, and for `staged` HEAD. */
  source?: string;
}

export interface GitPullOptions extends GitOptions, GitCredentials {
  /** Default: the branch's upstream. */
  remote?: string;
  /** Default: the branch's upstream. */
  branch?: string;
}

export interface GitPushOptions extends GitPullOptions {
  /** Makes it the upstream of the branch, where a remote is named. Default true. */
  setUpstream?: boolean;
}

export type GitConfigScope = 'global' | 'local' | 'system';

export interface GitConfigOptions extends GitOptions {
  /** Default `global`. */
  scope?: GitConfigScope;
  /** The repository; needed for the scope `local`, and used for no other. */
  path?: string;
}

export interface GitAuthenticateOptions extends GitOptions {
  username: string;
  /** A password, or a token. */
  password: string;
  /** Default `github.com`. */
  host?: string;
  /** Default `https`. */
  protocol?: string;
}

/** What git would take for an option, and nobody meant as one. */
export const gitName: Rule = [
  'a name: a string that is not empty and does not begin with "-"',
  (value) => typeof value === 'string' && /^[^-\0][^\0]*$/.test(value),
];
/** git's protocol for credentials has a line for each. */
export const gitSecret: Rule = [
  'a string that is not empty, in one line',
  (value) => typeof value === 'string' && /^[^\0\r\n]+$/.test(value),
];
const paths: Rule = [
  'an array of paths',
  (value: unknown) => Array.isArray(value) && value.every((path) => directory[1](path as never)),
];

type EveryGitOption = GitCloneOptions &
  GitInitOptions &
  GitRemoteAddOptions &
  GitDeleteBranchOptions &
  GitAddOptions &
  GitCommitOptions &
  GitResetOptions &
  GitRestoreOptions &
  GitPushOptions &
  GitConfigOptions &
  GitAuthenticateOptions;

/** An option is the same wherever it is, so one rule for each name does for all calls. */
export const gitRules: Rules<EveryGitOption> = {
  ...callRules,
  cwd: directory,
  user: linuxUser,
  envs: environment,
  timeoutMs: milliseconds,
  username: gitSecret,
  password: gitSecret,
  host: gitSecret,
  protocol: gitSecret,
  path: directory,
  remote: gitName,
  branch: gitName,
  initialBranch: gitName,
  target: gitName,
  source: gitName,
  depth: whole(1),
  mode: oneOf('soft', 'mixed', 'hard', 'merge', 'keep'),
  scope: oneOf('global', 'local', 'system'),
  files: paths,
  paths,
  authorName: anyText,
  authorEmail: anyText,
  dangerouslyStoreCredentials: flag,
  bare: flag,
  fetch: flag,
  overwrite: flag,
  force: flag,
  all: flag,
  allowEmpty: flag,
  staged: flag,
  worktree: flag,
  setUpstream: flag,
};
