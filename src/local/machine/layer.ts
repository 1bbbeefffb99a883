import { removeTree } from '../os/remove-tree.js';

/** A directory that several machines' files rest on, and nobody changes any more. */
export class Layer {
  readonly path: string;
  #holders = 1;

  /** For one holder. */
  constructor(path: string) {
    this.path = path;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  /** Removes the directory with the last holder. */
  async release(): Promise<void> {
    this.#holders--;
    if (this.#holders === 0) await removeTree(this.path);
  }
}
