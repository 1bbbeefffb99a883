import type { EnvdLaunch } from './envd-process.js';

/** What keeps a sandbox apart from the host. */
export type IsolationKind = 'bubblewrap' | 'none';

/** A way to start sandboxes. */
export interface Isolation {
  readonly kind: IsolationKind;
  /** Prepares the files of a new sandbox and says how to start its envd. */
  launch(): Promise<EnvdLaunch>;
}
