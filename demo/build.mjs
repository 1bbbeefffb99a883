/** Makes what the page loads: `demo/dist`, out of `demo/web` and the built package. */

import { copyFile, mkdir } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** Bundles the page into a folder. */
export async function buildPage(outdir = path('./dist')) {
  await mkdir(outdir, { recursive: true });
  // The asynchronous one would leave its service running beside the demo.
  buildSync({
    entryPoints: [path('./web/main.ts'), path('./web/main.css')],
    outdir,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'icon.svg']) await copyFile(path(`./web/${file}`), `${outdir}/${file}`);
  return outdir;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await buildPage();
