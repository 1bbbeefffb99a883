import { constants } from 'node:fs';
import { copyFile, cp, link, mkdir, realpath, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What envd consists of, in one directory that every sandbox can be shown. */
export interface RuntimeFiles {
  readonly directory: string;
  /** Relative to `directory`. */
  readonly script: string;
  /** Node itself: a path of the host below `/usr`, or relative to `directory`. */
  readonly node: string;
}

/** The built program. It is a file of its own because it runs in a process of its own. */
export const builtEnvd: string = fileURLToPath(new URL('../envd/main.js', import.meta.url));

const script = 'main.mjs';

/** Copies envd, node-pty and, unless it is under `/usr` anyway, Node: a sandbox sees no other path of the host. */
export async function copyRuntime(envdScript: string, directory: string): Promise<RuntimeFiles> {
  await mkdir(directory, { mode: 0o755 });
  await copyFile(envdScript, join(directory, script));
  await copyPty(join(directory, 'node_modules'));
  const executable = await realpath(process.execPath);
  if (executable.startsWith('/usr/')) return { directory, script, node: executable };
  const copy = join(directory, 'node');
  await link(executable, copy).catch(() => copyFile(executable, copy, constants.COPYFILE_FICLONE));
  return { directory, script, node: 'node' };
}

/** node-pty and its binary for this machine; without one, only terminals are missing. */
async function copyPty(modules: string): Promise<void> {
  const name = '@lydell/node-pty';
  const platform = `${name}-${process.platform}-${process.arch}`;
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  await cp(dirname(manifest), join(modules, name), { recursive: true, dereference: true });
  try {
    const binary = createRequire(manifest).resolve(`${platform}/package.json`);
    await cp(dirname(binary), join(modules, platform), { recursive: true, dereference: true });
  } catch {
    await writeFile(join(modules, 'README'), `${platform} is not installed, so there are no terminals.\n`);
  }
}
