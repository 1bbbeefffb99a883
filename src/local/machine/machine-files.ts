import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTree } from '../os/copy-tree.js';
import type { Workspace } from './workspace.js';

/** The directory that is `/` in a sandbox. */
export class MachineFiles {
  readonly root: string;
  readonly #workspace: Workspace;

  constructor(root: string, workspace: Workspace) {
    this.root = root;
    this.#workspace = workspace;
  }

  static async create(workspace: Workspace): Promise<MachineFiles> {
    return new MachineFiles(await workspace.makeRoot(), workspace);
  }

  async copy(): Promise<MachineFiles> {
    const root = this.#workspace.nextRoot();
    await copyTree(this.root, root);
    // envd's own, and of no use to another.
    await rm(join(root, 'run/envd'), { recursive: true, force: true });
    return new MachineFiles(root, this.#workspace);
  }

  async remove(): Promise<void> {
    await this.#workspace.removeRoot(this.root);
  }
}
