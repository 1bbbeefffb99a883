import { chmod, chown, cp, mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { chownTree, copyTree } from '../os/copy-tree.js';
import { removeTree } from '../os/remove-tree.js';
import { cgroupList, removeAbandoned, workspacePrefix } from './abandoned.js';
import { Cgroups } from './cgroups.js';
import { type HostIds, type Owner, ownerOf, userId } from './host-ids.js';
import { overlayProblem } from './overlay.js';

const skeletonFiles = ['.bashrc', '.profile', '.bash_logout'];

const ownDirectories = ['', 'home', 'root', 'tmp', 'run', 'opt', 'etc', 'usr', 'var', 'var/tmp'];
const sharedDirectories = ['tmp', 'var/tmp'];
const userHome = 'home/user';

/**
 * What one server has on the host: a directory, with what all sandboxes share and the `/` of each, and control
 * groups. Removed when the server ends, or else when the next one starts.
 */
export class Workspace {
  readonly path: string;
  /** Below which each sandbox gets one. None without `ids`. */
  readonly cgroups: Cgroups;
  /** Why there are no layers of files here; absent where there are. */
  readonly overlayProblem: string | undefined;
  readonly #ids: HostIds | undefined;
  #made = 0;

  private constructor(
    path: string,
    cgroups: Cgroups,
    ids: HostIds | undefined,
    overlayProblem: string | undefined,
  ) {
    this.path = path;
    this.cgroups = cgroups;
    this.#ids = ids;
    this.overlayProblem = overlayProblem;
  }

  /** `ids`: who is to have access beside the server itself. */
  static async create(ids?: HostIds): Promise<Workspace> {
    await removeAbandoned();
    const path = await realpath(await mkdtemp(join(tmpdir(), workspacePrefix())));
    if (ids?.launcher) {
      await chown(path, process.getuid?.() ?? 0, ids.launcher.gid);
      await chmod(path, 0o710);
    }
    const cgroups = ids ? await Cgroups.open(basename(path)) : Cgroups.none;
    await writeFile(join(path, cgroupList), cgroups.directories.join('\n'));
    const problem = ids?.range
      ? await overlayProblem(path, ids.launcher)
      : 'only root can give sandboxes layers';
    return new Workspace(path, cgroups, ids, problem);
  }

  /** Where envd's own files go. */
  get runtimePath(): string {
    return join(this.path, 'runtime');
  }

  /** Whether the files of sandboxes can be layers on top of one another. */
  get hasOverlay(): boolean {
    return this.overlayProblem === undefined;
  }

  /** A path that no sandbox has had yet. */
  nextRoot(): string {
    return join(this.path, `sandbox-${++this.#made}`);
  }

  /** Makes the `/` of a new sandbox: its homes, `/tmp` and an empty rest. */
  async makeRoot(): Promise<string> {
    const root = this.nextRoot();
    for (const directory of ownDirectories) await this.#make(join(root, directory), this.#root);
    await this.#make(join(root, userHome), this.#user);
    for (const directory of sharedDirectories) await chmod(join(root, directory), 0o1777);
    await chmod(join(root, 'root'), 0o700);
    await this.#addSkeleton(join(root, userHome), this.#user);
    await this.#addSkeleton(join(root, 'root'), this.#root);
    return root;
  }

  /** Makes a directory for `user` in a new `/`, at a path relative to that, as a copy of one of the host's. */
  async addDirectory(root: string, to: string, from?: string): Promise<void> {
    const target = join(root, to);
    if (target !== root && !target.startsWith(`${root}/`))
      throw new Error(`'${to}' leads out of the sandbox`);
    await this.#makeParents(root, dirname(target));
    await mkdir(target, { recursive: true });
    if (from !== undefined) await copyTree(from, target);
    if (this.#user) await chownTree(target, this.#user);
  }

  /** Makes the top of a sandbox's files, empty; `onLayers` says that it is not all there is to them. */
  async makeTop(onLayers: boolean): Promise<string> {
    const top = this.nextRoot();
    await this.#make(top, this.#root);
    if (onLayers) for (const path of Object.values(this.besides(top))) await this.#make(path, this.#root);
    return top;
  }

  /** The directories that go with a top on layers. */
  besides(top: string): { work: string; seen: string } {
    return { work: `${top}.work`, seen: `${top}.seen` };
  }

  async removeTop(top: string): Promise<void> {
    for (const path of [...Object.values(this.besides(top)), top]) await removeTree(path);
  }

  /** Once every sandbox has ended. */
  async remove(): Promise<void> {
    await this.cgroups.remove();
    await removeTree(this.path);
  }

  get #root(): Owner | undefined {
    return this.#ids && ownerOf(this.#ids, 0);
  }

  get #user(): Owner | undefined {
    return this.#ids && ownerOf(this.#ids, userId);
  }

  async #make(path: string, owner: Owner | undefined): Promise<void> {
    await mkdir(path, { mode: 0o755 });
    if (owner) await chown(path, owner.uid, owner.gid);
  }

  async #makeParents(root: string, path: string): Promise<void> {
    if (path === root || !path.startsWith(root)) return;
    await this.#makeParents(root, dirname(path));
    await this.#make(path, this.#root).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }

  async #addSkeleton(home: string, owner: Owner | undefined): Promise<void> {
    for (const name of skeletonFiles) {
      const file = join(home, name);
      const copied = await cp(join('/etc/skel', name), file).then(
        () => true,
        () => false,
      );
      if (copied && owner) await chown(file, owner.uid, owner.gid);
    }
  }
}
