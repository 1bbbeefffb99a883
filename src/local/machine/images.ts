import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { makeEtc } from './host-etc.js';
import type { Workspace } from './workspace.js';

const run = promisify(execFile);

/** What sandboxes with the programs of a tree have beside these. */
export interface ImageFiles {
  /** A directory of the host that is their `/etc`. */
  readonly etc: string;
  /** Starts Node in them. */
  readonly node: readonly string[];
}

/**
 * Trees of programs that know nothing of envd: they may have no Node, and no libraries that the host's would work
 * with. So they are shown the host's with all of its libraries, which are used for nothing else.
 */
export class Images {
  readonly #workspace: Workspace;
  readonly #directory: string;
  readonly #place: string;
  readonly #known = new Map<string, Promise<string>>();
  #node: Promise<readonly string[]> | undefined;

  /** `directory` is where all sandboxes find what is copied for them, at `place`. */
  constructor(workspace: Workspace, directory: string, place: string) {
    this.#workspace = workspace;
    this.#directory = directory;
    this.#place = place;
  }

  async filesOf(image: string): Promise<ImageFiles> {
    this.#node ??= copyNode(join(this.#directory, name), join(this.#place, name));
    const etc = this.#known.get(image) ?? this.#makeEtc(image);
    this.#known.set(image, etc);
    return { etc: await etc, node: await this.#node };
  }

  async #makeEtc(image: string): Promise<string> {
    const etc = join(this.#workspace.path, `etc-${this.#known.size + 1}`);
    await makeEtc(etc, join(image, 'etc'));
    return etc;
  }
}

const name = 'node-alone';

/** Copies Node with its loader and libraries, and says how to start it at `place`. */
async function copyNode(directory: string, place: string): Promise<readonly string[]> {
  await mkdir(directory, { mode: 0o755 });
  const executable = await realpath(process.execPath);
  const copy = join(directory, 'node');
  await link(executable, copy).catch(() => copyFile(executable, copy, constants.COPYFILE_FICLONE));
  const libraries = await librariesOf(executable);
  for (const library of libraries) await copyFile(library, join(directory, basename(library)));
  const loader = libraries.map((path) => basename(path)).find((file) => /^ld(-|\.so)/.test(file));
  const node = join(place, 'node');
  return loader === undefined ? [node] : [join(place, loader), '--library-path', place, node];
}

/** The files that a program is loaded with, its loader included; none for one that is linked statically. */
async function librariesOf(executable: string): Promise<string[]> {
  const { stdout } = await run('ldd', [executable]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').flatMap((line) => /^\s*(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
