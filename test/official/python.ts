import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LocalServer } from '../../src/local/local-server.js';

/** The newest when this was written; its newer names (`stream_input`) are tested too. */
const version = '2.63.0';
const packages: string = fileURLToPath(
  new URL(`../../node_modules/.cache/python-e2b-${version}`, import.meta.url),
);

/** What one check of `every_method.py` said. */
export interface Checked {
  readonly name: string;
  readonly error?: string;
}

/** Puts Python's `e2b` beside the other packages. Why not, when that cannot be done. */
export function installPythonSdk(): string | undefined {
  if (existsSync(`${packages}/e2b`)) return undefined;
  const python = spawnSync('python3', ['-c', 'import sys; print(sys.version_info >= (3, 10))'], {
    encoding: 'utf8',
  });
  if (python.error) return 'there is no python3 on this machine';
  if (python.stdout.trim() !== 'True') return 'python3 is older than 3.10';
  const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', packages];
  const pip = spawnSync('python3', [...args, `e2b==${version}`], { encoding: 'utf8', timeout: 180_000 });
  if (pip.status === 0) return undefined;
  const reason = (pip.stderr || String(pip.error)).trim().split('\n').at(-1);
  return `pip could not install e2b ${version}: ${reason}`;
}

/** Runs `every_method.py` against a server. */
export async function runEveryMethod(server: LocalServer): Promise<Checked[]> {
  const script = fileURLToPath(new URL('python/every_method.py', import.meta.url));
  const child = spawn('python3', ['-B', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      PYTHONPATH: packages,
      E2B_API_URL: server.apiUrl,
      E2B_SANDBOX_URL: server.sandboxUrl,
      E2B_API_KEY: server.apiKey,
    },
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Checked);
}
