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

  /** New files with a directory at `to`, relative to `/`, for `user`: a copy of the host's `from`, or an empty one. */
  static async withDirectory(workspace: Workspace, to: string, from?: string): Promise<MachineFiles> {
    const files = await MachineFiles.create(workspace);
    try {
      await workspace.addDirectory(files.root, to, from);
      return files;
    } catch (error) {
      await files.remove();
      throw error;
    }
  }

  /** Of files that nobody is changing. */
  async copy(): Promise<MachineFiles> {
    const root = this.#workspace.nextRoot();
    await copyTree(this.root, root);
    return new MachineFiles(root, this.#workspace);
  }

  async remove(): Promise<void> {
    await this.#workspace.removeRoot(this.root);
  }
}
