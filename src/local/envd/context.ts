import type { PathSpace } from './paths.js';
import type { Users } from './users.js';

/** What every handler of one sandbox shares. */
export interface SandboxContext {
  readonly paths: PathSpace;
  readonly users: Users;
  /** Where a process starts and an empty path leads; the default user's home until `POST /init` says otherwise. */
  workdir: string;
  /** Variables of every process, below those of a request. Set by `POST /init`. */
  envs: Readonly<Record<string, string>>;
  /** Variables of every process, above everything else: by them it is recognised as one of this sandbox. */
  readonly marks: Readonly<Record<string, string>>;
}
