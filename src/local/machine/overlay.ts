import { execFile } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeTree } from '../os/remove-tree.js';
import type { Owner } from './host-ids.js';

const run = promisify(execFile);

/** Directories that make one tree: changes to those below it go to the top. */
export interface OverlayTree {
  /** The upper comes first. They are only read. */
  readonly below: readonly string[];
  readonly top: string;
  /** An empty directory beside `top`, for the kernel. */
  readonly work: string;
  /** Where the tree is seen, by whoever mounts it. */
  readonly seen: string;
}

// What a host's kernel may be set up to do otherwise, and what a copy of the top would not survive.
const portable = 'redirect_dir=off,metacopy=off,index=off';

/** In a mount namespace of its own, so that the mount ends with whoever uses it, however that ends. */
const privately = ['unshare', '--mount', '--propagation', 'private', '--'];
const mounting = 'mount -t overlay overlay -o "$0" "$1" && shift && exec "$@"';

/** The command, with the tree mounted, as that user of the host. Only root can run it. */
export function inOverlay(
  { below, top, work, seen }: OverlayTree,
  owner: Owner,
  command: readonly string[],
): string[] {
  const options = `lowerdir=${below.join(':')},upperdir=${top},workdir=${work},${portable}`;
  const asOwner = ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', '--'];
  return [...privately, 'sh', '-c', mounting, options, seen, ...asOwner, ...command];
}

/** Copies what two or more layers make together into a new directory. */
export async function copyLayers(layers: readonly string[], to: string): Promise<void> {
  const seen = `${to}.seen`;
  await mkdir(seen);
  try {
    const copy = ['cp', '-a', '--', `${seen}/.`, to];
    await mkdir(to);
    await runCommand([...privately, 'sh', '-c', mounting, `lowerdir=${layers.join(':')}`, seen, ...copy]);
  } finally {
    await removeTree(seen);
  }
}

/** Resolves to why trees cannot be made of directories in this one, and to nothing where they can. */
export async function overlayProblem(
  directory: string,
  owner: Owner | undefined,
): Promise<string | undefined> {
  if (!owner) return 'only root can mount one';
  if (/[\s,:\\]/.test(directory))
    return `the name of ${directory} has a character that mount options cannot have`;
  const trial = await mkdtemp(join(directory, 'overlay-'));
  const at = (name: string): string => join(trial, name);
  try {
    for (const name of ['below', 'top', 'work', 'seen']) await mkdir(at(name));
    const tree = { below: [at('below')], top: at('top'), work: at('work'), seen: at('seen') };
    await runCommand(inOverlay(tree, owner, ['true']));
    return undefined;
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1)!;
  } finally {
    await removeTree(trial);
  }
}

async function runCommand([file = '', ...args]: readonly string[]): Promise<void> {
  await run(file, args);
}
