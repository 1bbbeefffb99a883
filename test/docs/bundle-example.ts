import { build } from 'esbuild';
import { type CompiledExample, folder } from './compile-examples.js';

const conditions = { page: ['browser'], worker: ['workerd', 'worker', 'browser'] };

/** Makes JavaScript of an example; for Node, the packages stay where they are. */
export async function bundleExample({ module, place, file }: CompiledExample): Promise<string> {
  const result = await build({
    stdin: { contents: module, resolveDir: folder, sourcefile: file, loader: 'ts' },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    loader: { '.css': 'empty' },
    write: false,
    logLevel: 'error',
    ...(place === 'node'
      ? { platform: 'node' as const, packages: 'external' as const }
      : { platform: 'browser' as const, conditions: conditions[place] }),
  });
  return result.outputFiles[0]?.text ?? '';
}
