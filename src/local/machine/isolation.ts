import type { EnvdLaunch } from './envd-process.js';

/** What keeps a sandbox apart from the host. */
export type IsolationKind = 'bubblewrap' | 'none';

/** A way to start sandboxes. */
export interface Isolation {
  readonly kind: IsolationKind;
  /**
   * Says how to start envd with this directory as its `/`. `image` is a tree of the host whose programs are
   * shown instead of the host's own.
   */
  launch(root: string, image?: string): Promise<EnvdLaunch>;
}
