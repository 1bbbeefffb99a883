import { access, lstat, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvdLaunch } from './envd-process.js';
import { makeEtc, sandboxHostname } from './host-etc.js';
import type { Isolation } from './isolation.js';
import type { RuntimeFiles } from './runtime-files.js';
import type { Owner, Workspace } from './workspace.js';

const executables = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'];
const runtimePlace = '/opt/e2b-edge';
const userlandLinks = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/**
 * Whom the sandboxes run as on the host when the server is root: nobody's uid (systemd's table has no use for
 * it). Root without any capability would still own /proc/sys, and with it the host's core_pattern.
 */
const unprivileged: Owner = { uid: 60_999, gid: 60_999 };

export function bubblewrapOwner(): Owner | undefined {
  return process.getuid?.() === 0 ? unprivileged : undefined;
}

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

/** One namespace a sandbox: own users, processes, network, mounts; the host's programs are there to be read. */
export async function bubblewrapIsolation(
  executable: string,
  workspace: Workspace,
  runtime: RuntimeFiles,
): Promise<Isolation> {
  const etc = join(workspace.path, 'etc');
  await makeEtc(etc);
  const node = runtime.node.startsWith('/') ? runtime.node : join(runtimePlace, runtime.node);
  const owner = bubblewrapOwner();
  return {
    kind: 'bubblewrap',
    async launch(root, image = '/'): Promise<EnvdLaunch> {
      const userland = await userlandOf(image);
      for (const [name, target] of userland.links) await linkTo(target, join(root, name));
      return {
        file: executable,
        args: [
          ...namespaceArgs,
          ...['--bind', root, '/'],
          ...userland.directories.flatMap((path) => ['--ro-bind', join(image, path), path]),
          ...['--ro-bind', etc, '/etc'],
          ...['--ro-bind', runtime.directory, runtimePlace],
          ...['--proc', '/proc', '--dev', '/dev', '--chdir', '/'],
          ...[node, join(runtimePlace, runtime.script)],
        ],
        env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
        ...owner,
        cleanUp: async () => {},
      };
    },
  };
}

const namespaceArgs = [
  ...['--unshare-user', '--uid', '1000', '--gid', '1000'],
  ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-net', '--unshare-cgroup-try'],
  ...['--hostname', sandboxHostname, '--cap-drop', 'ALL'],
  // The sandbox ends with the server, and cannot type into the server's terminal.
  ...['--die-with-parent', '--new-session'],
];

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
