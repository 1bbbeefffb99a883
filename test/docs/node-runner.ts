import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { LocalServer } from 'e2b-edge/local';
import type { Runner } from './places.js';
import { root } from './read-examples.js';

const runModule = fileURLToPath(new URL('./run-module.mjs', import.meta.url));
// Inside the package, so that it is found by its name.
const modules = join(root, 'test-results/docs');

/** Runs each example as a program of its own, in an empty directory, with the server's variables. */
export function createNodeRunner(local: LocalServer): Runner {
  let count = 0;
  mkdirSync(modules, { recursive: true });
  return {
    async run(code) {
      const path = join(modules, `example-${process.pid}-${count++}.mjs`);
      const cwd = mkdtempSync(join(tmpdir(), 'e2b-edge-docs-'));
      writeFileSync(path, code);
      try {
        return await runProgram(path, cwd, variablesOf(local));
      } finally {
        rmSync(path);
        rmSync(cwd, { recursive: true });
      }
    },
    close: async () => undefined,
  };
}

function variablesOf({ apiKey, apiUrl, sandboxUrl, port }: LocalServer): Record<string, string> {
  return {
    E2B_API_KEY: apiKey,
    E2B_API_URL: apiUrl,
    E2B_SANDBOX_URL: sandboxUrl,
    E2B_DOMAIN: `localhost:${port}`,
    SESSION_KEY: 'a key that signs the sessions of the examples',
  };
}

async function runProgram(path: string, cwd: string, variables: Record<string, string>) {
  const child = spawn(process.execPath, ['--enable-source-maps', runModule, path], {
    cwd,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    timeout: 50_000,
  });
  const [, stdout, stderr, failure] = child.stdio as unknown as Readable[];
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [printed, complaints, named] = await Promise.all([text(stdout!), text(stderr!), text(failure!)]);
  const code = await closed;
  const error = named || (code === 0 ? '' : `exit code ${code}`);
  return { output: `${printed}${complaints}`, ...(error !== '' && { error }) };
}
