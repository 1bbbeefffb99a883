import { constants } from 'node:fs';
import { copyFile, cp, link, mkdir, realpath, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
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

/** Copies envd, its native modules and, unless it is under `/usr` anyway, Node: a sandbox sees nothing else of the host. */
export async function copyRuntime(envdScript: string, directory: string): Promise<RuntimeFiles> {
  await mkdir(directory, { mode: 0o755 });
  await copyFile(envdScript, join(directory, script));
  const modules = join(directory, 'node_modules');
  const machine = `${process.platform}-${process.arch}`;
  await copyNative('@lydell/node-pty', [machine], modules, 'there are no terminals');
  await copyNative(
    '@napi-rs/xattr',
    [machine, `${machine}-gnu`, `${machine}-musl`],
    modules,
    'files have no metadata',
  );
  const executable = await realpath(process.execPath);
  if (executable.startsWith('/usr/')) return { directory, script, node: executable };
  const copy = join(directory, 'node');
  await link(executable, copy).catch(() => copyFile(executable, copy, constants.COPYFILE_FICLONE));
  return { directory, script, node: 'node' };
}

/** A package with a binary for this machine; without one, `missing` is what envd cannot do. */
async function copyNative(
  name: string,
  platforms: readonly string[],
  modules: string,
  missing: string,
): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  await cp(dirname(manifest), join(modules, name), { recursive: true, dereference: true });
  let found = false;
  for (const platform of platforms) {
    const binary = resolved(createRequire(manifest), `${name}-${platform}/package.json`);
    if (binary === undefined) continue;
    await cp(dirname(binary), join(modules, `${name}-${platform}`), { recursive: true, dereference: true });
    found = true;
  }
  if (!found)
    await writeFile(
      join(modules, `${basename(name)}.README`),
      `No binary of ${name} is installed: ${missing}.\n`,
    );
}

function resolved(require: NodeJS.Require, path: string): string | undefined {
  try {
    return require.resolve(path);
  } catch {
    return undefined;
  }
}
