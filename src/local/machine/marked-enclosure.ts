import type { ChildProcess } from 'node:child_process';
import { continueAll, stopAll, treeOf } from '../os/stop-tree.js';
import { killLeftovers, processesOf } from '../os/sweep.js';
import { usageOf } from '../os/tree-usage.js';
import type { Enclosure } from './enclosure.js';
import { exitOf } from './exit-of.js';
import type { Usage } from './limits.js';

/** How long envd may take to end its processes and itself. */
const endLimitMs = 2_000;

/** The processes of a sandbox without a namespace: envd's children, and whoever bears the sandbox's mark. */
export class MarkedEnclosure implements Enclosure {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #root: string;
  #stopped: readonly number[] | undefined;

  constructor(child: ChildProcess, root: string) {
    this.#child = child;
    this.#exited = exitOf(child);
    this.#root = root;
  }

  async freeze(): Promise<void> {
    const below = await stopAll(() => treeOf(this.#child.pid!));
    this.#stopped = [...below, ...(await stopAll((onMissed) => this.#othersThan(below, onMissed)))];
  }

  async thaw(): Promise<void> {
    continueAll(this.#stopped ?? []);
    this.#stopped = undefined;
  }

  async end(): Promise<void> {
    // envd ends by itself when its socket closes, unless somebody has stopped it.
    const limit = this.#stopped ? 0 : endLimitMs;
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), limit);
    await this.#exited;
    clearTimeout(timer);
    await killLeftovers(this.#root);
  }

  /** Nobody limits what runs as the user himself. */
  async limit(): Promise<void> {}

  async usage(): Promise<Usage> {
    const below = [...treeOf(this.#child.pid!)];
    return usageOf([...below, ...this.#othersThan(below)]);
  }

  /** The host's network is theirs. */
  async openInternet(): Promise<void> {}
  async closeInternet(): Promise<void> {}

  *#othersThan(pids: readonly number[], onMissed?: () => void): Iterable<number> {
    const known = new Set(pids);
    for (const pid of processesOf(this.#root, onMissed)) if (!known.has(pid)) yield pid;
  }
}
