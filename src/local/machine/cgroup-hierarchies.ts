import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** A tree of control groups, as far as this process sees it. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Of version 1, what it controls. A group of version 2 says that itself. */
  readonly controllers: readonly string[];
  /** The directory of the tree's root, and of the group that this process is in. */
  readonly top: string;
  readonly own: string;
}

/** Those that are mounted. None outside Linux, or where no file system shows them. */
export function hierarchies(): Hierarchy[] {
  const membership = lines('/proc/self/cgroup').map((line) => {
    const [, id, controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    return { version: id === '0' ? 2 : 1, controllers: (controllers ?? '').split(','), path: path ?? '/' };
  });
  return lines('/proc/self/mountinfo').flatMap((line) => {
    const mount = parseMount(line);
    if (!mount) return [];
    const group = membership.find(
      ({ version, controllers }) =>
        version === mount.version && (version === 2 || mount.options.includes(controllers[0]!)),
    );
    if (!group) return [];
    const controllers = mount.version === 1 ? group.controllers : [];
    return [{ version: mount.version, controllers, top: mount.point, own: ownDirectory(mount, group.path) }];
  });
}

interface Mount {
  readonly version: 1 | 2;
  /** The group that is seen at the mount point. */
  readonly root: string;
  readonly point: string;
  readonly options: readonly string[];
}

function parseMount(line: string): Mount | undefined {
  const [, root, point, version, options] =
    /^\d+ \d+ \S+ (\S+) (\S+) .* - cgroup(2?) \S+ (\S+)$/.exec(line) ?? [];
  if (root === undefined || point === undefined) return undefined;
  return { version: version === '2' ? 2 : 1, root, point, options: (options ?? '').split(',') };
}

/** In a container the mount may show only a part of what the path is told from. */
function ownDirectory({ root, point }: Mount, path: string): string {
  const inside = relative(root, path);
  const directory = join(point, inside.startsWith('..') ? path : inside);
  return existsSync(directory) ? directory : point;
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
