import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles an entry of this folder with the suites and the package, for a runtime that has nothing of Node. */
export async function bundle(entry: string, conditions: string[]): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions,
    target: 'es2022',
    // The calls that a case makes are noted under the names of their classes.
    keepNames: true,
    sourcemap: 'inline',
    write: false,
    logLevel: 'error',
  });
  return result.outputFiles[0]!.text;
}
