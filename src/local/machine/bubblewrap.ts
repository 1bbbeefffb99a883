import { access, lstat, readlink, symlink } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Cgroups } from './cgroups.js';
import { makeEtc, sandboxHostname } from './host-etc.js';
import type { HostIds } from './host-ids.js';
import { Images } from './images.js';
import type { InternetAccess } from './internet-access.js';
import type { EnvdLaunch, Isolation } from './isolation.js';
import type { Limits } from './limits.js';
import { NamespaceEnclosure } from './namespace-enclosure.js';
import { inOverlay } from './overlay.js';
import type { RuntimeFiles } from './runtime-files.js';
import { syscallFilter } from './syscall-filter.js';
import type { Workspace } from './workspace.js';

const executables = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'];
/**
 * Below what is mounted anew at each start: bubblewrap follows links to where it is to mount something, and root in
 * there can make links of everything else.
 */
const runtimePlace = '/run/e2b-edge';
const userlandLinks = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/** The path of bubblewrap, or `undefined` where there is none. */
export async function findBubblewrap(): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  for (const path of executables) {
    const usable = await access(path).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}

/** What a host has for sandboxes in bubblewrap. */
export interface BubblewrapHost {
  readonly executable: string;
  readonly ids: HostIds;
  readonly cgroups: Cgroups;
  readonly limits: Limits;
  readonly internet: InternetAccess;
}

/** One namespace a sandbox: own users, processes, network, mounts; the host's programs are there to be read. */
export async function bubblewrapIsolation(
  { executable, ids, cgroups, limits: usual, internet }: BubblewrapHost,
  workspace: Workspace,
  runtime: RuntimeFiles,
): Promise<Isolation> {
  const hostEtc = join(workspace.path, 'etc');
  await makeEtc(hostEtc);
  const images = new Images(workspace, runtime.directory, runtimePlace);
  const filter = syscallFilter();
  const ofHost = { etc: hostEtc, node: [resolve(runtimePlace, runtime.node)] };
  return {
    kind: 'bubblewrap',
    async launch({ root, image = '/', limits: asked }): Promise<EnvdLaunch> {
      const limits = { ...usual, ...asked };
      const userland = await userlandOf(image);
      const { etc, node } = image === '/' ? ofHost : await images.filesOf(image);
      const command = [...node, join(runtimePlace, runtime.script)];
      const [top, seen] = typeof root === 'string' ? [root, root] : [root.top, root.seen];
      for (const [name, target] of userland.links) await linkTo(target, join(top, name));
      const bubblewrap = [
        executable,
        ...(ids.range ? manyIds : oneId),
        ...namespaceArgs,
        ...['--bind', seen, '/'],
        ...userland.directories.flatMap((path) => ['--ro-bind', join(image, path), path]),
        ...['--ro-bind', etc, '/etc'],
        ...(ids.range ? [] : waitForResolver),
        ...['--perms', '0755', '--tmpfs', '/run'],
        ...['--ro-bind', runtime.directory, runtimePlace],
        ...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--tmpfs', '/dev/shm', '--chdir', '/'],
        ...(cgroups.abilities.has('pids') ? command : withProcessLimit(limits.processes, command)),
      ];
      return {
        ...(typeof root === 'string'
          ? { command: bubblewrap, ...ids.launcher }
          : { command: inOverlay(root, ids.launcher!, bubblewrap) }),
        env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
        pipes: 3,
        enclose: async (child) => {
          const [, , , , , , filterPipe] = child.stdio as unknown as Duplex[];
          give(filter, filterPipe!);
          const cgroup = cgroups.create(basename(top));
          return NamespaceEnclosure.around(child, { ids, limits, cgroup, internet });
        },
      };
    },
  };
}

/**
 * envd is root in there, and has of root's powers those that giving programs and files to users takes, and the
 * one that lets root serve on a port below 1024. Programs of `user` have none.
 */
const manyIds = [
  ...['--unshare-user', '--uid', '0', '--gid', '0', '--info-fd', '4', '--userns-block-fd', '5'],
  ...['--cap-drop', 'ALL'],
  ...['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'NET_BIND_SERVICE'].flatMap(
    (name) => ['--cap-add', `CAP_${name}`],
  ),
];

const oneId = ['--unshare-user', '--uid', '1000', '--gid', '1000', '--info-fd', '4', '--cap-drop', 'ALL'];

/** The only thing that bubblewrap can be made to wait for before it gives up its first namespace of users. */
const waitForResolver = ['--ro-bind-data', '5', '/etc/resolv.conf'];

const namespaceArgs = [
  ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-net', '--unshare-cgroup-try'],
  ...['--hostname', sandboxHostname],
  // The sandbox ends with the server, and cannot type into the server's terminal.
  ...['--die-with-parent', '--new-session', '--seccomp', '6'],
];

/**
 * Where no control group counts them. Set inside, since there the kernel counts the namespace's own only. Which
 * letter it has depends on the shell.
 */
function withProcessLimit(processes: number, command: readonly string[]): string[] {
  const script = 'ulimit -u "$0" 2>/dev/null || ulimit -p "$0" 2>/dev/null; exec "$@"';
  return ['/bin/sh', '-c', script, `${processes}`, ...command];
}

/** Whoever ends before it has read that is told of otherwise. */
function give(content: Buffer, pipe: Duplex): void {
  pipe.on('error', () => {});
  pipe.end(content);
}

/** How `/bin` and the like look in a tree: symlinks into `/usr`, or directories of their own. */
async function userlandOf(
  image: string,
): Promise<{ links: [name: string, target: string][]; directories: string[] }> {
  const links: [string, string][] = [];
  const directories = ['/usr'];
  for (const name of userlandLinks) {
    const path = join(image, name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isSymbolicLink()) links.push([name, await readlink(path)]);
    else if (stats?.isDirectory()) directories.push(`/${name}`);
  }
  return { links, directories };
}

/** A copied `/` has its links already. */
async function linkTo(target: string, path: string): Promise<void> {
  await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
