import type { ChildProcess } from 'node:child_process';
import type { Enclosure } from './enclosure.js';
import type { Limits } from './limits.js';
import type { OverlayTree } from './overlay.js';

/** What keeps a sandbox apart from the host. */
export type IsolationKind = 'bubblewrap' | 'none';

/** What a sandbox is started with. */
export interface LaunchRequest {
  /** The directory that is to be its `/`, or what makes one. */
  readonly root: string | OverlayTree;
  /** A tree of the host whose programs are shown instead of the host's own. */
  readonly image?: string;
  /** Other limits than the server's. */
  readonly limits?: Partial<Limits>;
}

/** How to start envd for one sandbox. */
export interface EnvdLaunch {
  /** A program and its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Host credentials to take; the server's own when absent. */
  readonly uid?: number;
  readonly gid?: number;
  /** How many pipes it gets beside envd's socket, from descriptor 4 on. */
  readonly pipes: number;
  /**
   * Takes hold of the process that has been started so. Rejects, having removed what it made, when that is not
   * possible; the process is then the caller's to kill.
   */
  enclose(child: ChildProcess): Promise<Enclosure>;
}

/** A way to start sandboxes. */
export interface Isolation {
  readonly kind: IsolationKind;
  launch(request: LaunchRequest): Promise<EnvdLaunch>;
}
