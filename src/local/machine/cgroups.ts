import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Cgroup, type CgroupDirectories, removeGroup } from './cgroup.js';
import { type Hierarchy, hierarchies } from './cgroup-hierarchies.js';

const controllers = ['pids', 'memory', 'cpu'] as const;

/** The control groups of one server, below which each sandbox has its own. */
export class Cgroups {
  readonly #at: CgroupDirectories;

  private constructor(directories: CgroupDirectories) {
    this.#at = directories;
  }

  static readonly none: Cgroups = new Cgroups({});

  /** Makes them. Those that this host does not have or does not let be made are left out. */
  static async open(name: string): Promise<Cgroups> {
    const mounted = hierarchies();
    const unified = mounted.find(({ version }) => version === 2);
    const at = unified ? await openUnified(unified, name) : {};
    for (const { version, controllers: here, own } of mounted) {
      if (version !== 1) continue;
      const wanted = here.filter(
        (controller) => isController(controller) && !(controller in at),
      ) as (keyof CgroupDirectories)[];
      const directory = wanted.length > 0 ? await makeGroup(join(own, name)) : undefined;
      for (const controller of directory ? wanted : []) Object.assign(at, { [controller]: directory });
    }
    return new Cgroups(at);
  }

  /** What they can do here; limits by `pids`, `memory` and `cpu`. */
  get abilities(): ReadonlySet<'freeze' | 'pids' | 'memory' | 'cpu'> {
    const { unified, pids, memory, cpu } = this.#at;
    const all = { freeze: unified, pids, memory, cpu };
    return new Set((Object.keys(all) as (keyof typeof all)[]).filter((name) => all[name] !== undefined));
  }

  /** To be kept where whoever cleans up after this server can find it. */
  get directories(): readonly string[] {
    return [...new Set(Object.values(this.#at) as string[])];
  }

  /** One for a sandbox; `undefined` where there are none to be had. */
  async create(name: string): Promise<Cgroup | undefined> {
    if (this.directories.length === 0) return undefined;
    const own = (directory: string): string => join(directory, name);
    await Promise.all(this.directories.map((directory) => mkdir(own(directory))));
    return new Cgroup(
      Object.fromEntries(Object.entries(this.#at).map(([key, directory]) => [key, own(directory as string)])),
    );
  }

  /** Once every sandbox's is removed. */
  async remove(): Promise<void> {
    await removeGroups(this.directories);
  }
}

/** Removes groups with all that are below them, and kills whoever is still there. */
export async function removeGroups(directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    const below = await readdir(directory, { withFileTypes: true }).catch(() => []);
    await new Cgroup({ unified: directory }).kill();
    await removeGroups(below.filter((it) => it.isDirectory()).map((it) => join(directory, it.name)));
    await removeGroup(directory);
  }
}

/**
 * A group of version 2 gives its children controllers only while no process is in it, the root of all aside. So
 * the new group goes beside the server's own where that is allowed.
 */
async function openUnified({ own, top }: Hierarchy, name: string): Promise<CgroupDirectories> {
  const parents = own === top ? [own] : [dirname(own), own];
  for (const parent of parents) {
    const unified = await makeGroup(join(parent, name));
    if (unified === undefined) continue;
    for (const controller of controllers) await enable(parent, controller);
    for (const controller of controllers) await enable(unified, controller);
    const enabled = await readFile(join(unified, 'cgroup.subtree_control'), 'utf8');
    const has = enabled.split(/\s+/).filter(isController);
    return { unified, ...Object.fromEntries(has.map((controller) => [controller, unified])) };
  }
  return {};
}

async function enable(group: string, controller: string): Promise<void> {
  // Not there, or not for this user to give.
  await writeFile(join(group, 'cgroup.subtree_control'), `+${controller}`).catch(() => {});
}

async function makeGroup(path: string): Promise<string | undefined> {
  return mkdir(path).then(
    () => path,
    () => undefined,
  );
}

function isController(name: string): boolean {
  return name === 'cpuacct' || (controllers as readonly string[]).includes(name);
}
