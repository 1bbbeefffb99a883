import { readlinkSync } from 'node:fs';
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Host credentials, where the sandboxes do not run with the server's own. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const skeletonFiles = ['.bashrc', '.profile', '.bash_logout'];

/** Begins the names of this machine's workspaces. Pids mean something in their own namespace only. */
function namePrefix(): string {
  try {
    return `e2b-edge-ns${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]}-`;
  } catch {
    return 'e2b-edge-pid-';
  }
}

/** The directory of one server: what all sandboxes share, and the `/` of each. Removed when the server ends. */
export class Workspace {
  readonly path: string;
  readonly #owner: Owner | undefined;
  #made = 0;

  private constructor(path: string, owner: Owner | undefined) {
    this.path = path;
    this.#owner = owner;
  }

  /** `owner` is given access, beside the server itself. */
  static async create(owner?: Owner): Promise<Workspace> {
    await removeAbandoned();
    const path = await realpath(await mkdtemp(join(tmpdir(), `${namePrefix()}${process.pid}-`)));
    if (owner) {
      await chown(path, process.getuid?.() ?? 0, owner.gid);
      await chmod(path, 0o710);
    }
    return new Workspace(path, owner);
  }

  /** Where envd's own files go. */
  get runtimePath(): string {
    return join(this.path, 'runtime');
  }

  /** A path that no sandbox has had yet. */
  nextRoot(): string {
    return join(this.path, `sandbox-${++this.#made}`);
  }

  /** Makes the `/` of a new sandbox: its homes, `/tmp` and an empty rest. */
  async makeRoot(): Promise<string> {
    const root = this.nextRoot();
    const directories = [
      '',
      'home',
      'home/user',
      'root',
      'tmp',
      'run',
      'opt',
      'etc',
      'usr',
      'var',
      'var/tmp',
    ];
    for (const directory of directories) await mkdir(join(root, directory), { mode: 0o755 });
    for (const directory of ['tmp', 'var/tmp']) await chmod(join(root, directory), 0o1777);
    for (const home of ['home/user', 'root']) {
      for (const file of skeletonFiles) {
        await cp(join('/etc/skel', file), join(root, home, file)).catch(() => {});
      }
    }
    if (this.#owner) await chownTree(root, this.#owner);
    return root;
  }

  async removeRoot(root: string): Promise<void> {
    await removeTree(root);
  }

  async remove(): Promise<void> {
    await removeTree(this.path);
  }
}

async function chownTree(path: string, owner: Owner): Promise<void> {
  await chown(path, owner.uid, owner.gid);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await chownTree(child, owner);
    else await chown(child, owner.uid, owner.gid);
  }
}

/** Also when directories in it were made unreadable, which only their owner may undo. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await openTree(path).catch(() => {});
    await rm(path, { recursive: true, force: true });
  }
}

async function openTree(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await openTree(join(path, name));
}

/** What servers that were killed outright have left. */
async function removeAbandoned(): Promise<void> {
  const pattern = new RegExp(`^${namePrefix()}(\\d+)-`);
  for (const name of await readdir(tmpdir())) {
    const pid = Number(pattern.exec(name)?.[1] ?? Number.NaN);
    // Others' directories cannot be removed, and need not be.
    if (pid > 1 && !isAlive(pid)) await removeTree(join(tmpdir(), name)).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
