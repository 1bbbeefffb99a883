import { copyTree } from '../os/copy-tree.js';
import { Layer } from './layer.js';
import { copyLayers, type OverlayTree } from './overlay.js';
import type { Workspace } from './workspace.js';

/** Mount options have a page, and each layer makes reading slower. */
const mostLayers = 16;

/**
 * What is `/` in a sandbox: a directory of the host, or one on top of layers that it shares with others. Files
 * at rest are copied by making them such a layer, which costs the same for one file as for a million.
 */
export class MachineFiles {
  readonly #workspace: Workspace;
  #top: string;
  /** Below the top, the uppermost first. */
  #layers: readonly Layer[];
  #inUse = false;
  #removing: Promise<void> | undefined;

  private constructor(workspace: Workspace, top: string, layers: readonly Layer[] = []) {
    this.#workspace = workspace;
    this.#top = top;
    this.#layers = layers;
  }

  static async create(workspace: Workspace): Promise<MachineFiles> {
    return new MachineFiles(workspace, await workspace.makeRoot());
  }

  /** New files with a directory at `to`, relative to `/`, for `user`: a copy of the host's `from`, or an empty one. */
  static async withDirectory(workspace: Workspace, to: string, from?: string): Promise<MachineFiles> {
    const files = await MachineFiles.create(workspace);
    try {
      await workspace.addDirectory(files.#top, to, from);
      return files;
    } catch (error) {
      await files.remove();
      throw error;
    }
  }

  /** What to start a machine with: a directory, or what makes one. They are in use from then on, until `rest()`. */
  use(): string | OverlayTree {
    this.#inUse = true;
    if (this.#layers.length === 0) return this.#top;
    const { work, seen } = this.#workspace.besides(this.#top);
    return { top: this.#top, work, seen, below: this.#layers.map(({ path }) => path) };
  }

  /** Says that the machine has ended. */
  rest(): void {
    this.#inUse = false;
  }

  /** Files of the same content. Whoever uses these must be stopped meanwhile. */
  async copy(): Promise<MachineFiles> {
    if (this.#layers.length >= mostLayers) return this.#flatCopy();
    if (this.#inUse || !this.#workspace.hasOverlay) {
      const top = await this.#workspace.makeTop(this.#layers.length > 0);
      await this.#into(top, () => copyTree(this.#top, top));
      return new MachineFiles(this.#workspace, top, this.#holdLayers());
    }
    const top = await this.#workspace.makeTop(true);
    this.#layers = [new Layer(this.#top), ...this.#layers];
    this.#top = top;
    return new MachineFiles(this.#workspace, await this.#workspace.makeTop(true), this.#holdLayers());
  }

  remove(): Promise<void> {
    this.#removing ??= this.#remove();
    return this.#removing;
  }

  async #remove(): Promise<void> {
    await this.#workspace.removeTop(this.#top);
    for (const layer of this.#layers) await layer.release();
  }

  async #flatCopy(): Promise<MachineFiles> {
    const top = this.#workspace.nextRoot();
    await this.#into(top, () => copyLayers([this.#top, ...this.#layers.map(({ path }) => path)], top));
    return new MachineFiles(this.#workspace, top);
  }

  /** Nothing is left there when that fails. */
  async #into(top: string, copy: () => Promise<void>): Promise<void> {
    try {
      await copy();
    } catch (error) {
      await this.#workspace.removeTop(top);
      throw error;
    }
  }

  #holdLayers(): Layer[] {
    return this.#layers.map((layer) => layer.hold());
  }
}
