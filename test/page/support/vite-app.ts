/** A Vite project in a sandbox, as `npm create vite` and `npm install` leave one, and its development server. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from 'e2b-edge';

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const home = '/home/user';

const files: Record<string, string> = {
  'package.json': '{ "type": "module" }',
  'index.html':
    '<!doctype html><title>Vite</title><h1></h1><input><script type="module" src="/main.js"></script>',
  'main.js': `
    import { words } from './words.js';
    const show = (text) => { document.querySelector('h1').textContent = text; };
    show(words);
    import.meta.hot.accept('./words.js', (changed) => show(changed.words));`,
  'words.js': words('as it began'),
};

/** The module that the page shows and takes anew without a reload. */
export function words(text: string): string {
  return `export const words = ${JSON.stringify(text)};\n`;
}

/** Writes the project and starts `vite` at port 3000; resolves once it listens. */
export async function startVite(sandbox: Sandbox, config: string): Promise<void> {
  const archive = execFileSync('tar', ['-C', modules, '-czh', ...withDependencies('vite')], {
    maxBuffer: 2 ** 28,
  });
  await sandbox.files.write([
    { path: `${home}/modules.tgz`, data: new Blob([new Uint8Array(archive)]) },
    { path: `${home}/vite.config.js`, data: config },
    ...Object.entries(files).map(([name, data]) => ({ path: `${home}/${name}`, data })),
  ]);
  await sandbox.commands.run('mkdir node_modules && tar -C node_modules -xzf modules.tgz');
  const vite = await sandbox.commands.run(
    'exec node node_modules/vite/bin/vite.js --port 3000 --strictPort',
    {
      background: true,
      timeoutMs: 0,
    },
  );
  let said = '';
  for await (const event of vite) {
    if (event.type === 'stdout' || event.type === 'stderr') said += event.data;
    if (/ready in/.test(said)) return;
  }
  throw new Error(`Vite ended: ${said}`);
}

/** The names of a package and of all that it needs, as far as they are installed here. */
function withDependencies(name: string, found: Set<string> = new Set()): Set<string> {
  const manifest = join(modules, name, 'package.json');
  if (found.has(name) || !existsSync(manifest)) return found;
  found.add(name);
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<
    string,
    Record<string, string> | undefined
  >;
  for (const needed of Object.keys({ ...dependencies, ...optionalDependencies }))
    withDependencies(needed, found);
  return found;
}
