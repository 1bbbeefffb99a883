/** `await using` where the runtime has the syntax, where a compiler lowers it, and where the symbols are missing too. */

import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { denoArguments } from './deno-arguments.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = 'test/runtimes/dispose/program.ts';
const lowered = `test-results/dispose-${process.pid}.mjs`;
const hideSymbols = './test/runtimes/dispose/hide-symbols.mjs';

let local: LocalServer;

beforeAll(async () => {
  mkdirSync(`${root}test-results`, { recursive: true });
  await build({
    entryPoints: [root + program],
    outfile: root + lowered,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    packages: 'external',
    logLevel: 'error',
  });
  local = await startLocalServer();
});

afterAll(async () => {
  rmSync(root + lowered, { force: true });
  await local?.close();
});

test('Node, by code that a compiler has lowered', async () => {
  expect(await run(process.execPath, [lowered])).toEqual([]);
});

test('a runtime without the symbols', async () => {
  expect(await run(process.execPath, ['--import', hideSymbols, lowered])).toEqual([]);
});

test('Deno', async () => {
  expect(await run('node_modules/.bin/deno', [...denoArguments, program])).toEqual([]);
});

test('Bun', async () => {
  expect(await run('node_modules/.bin/bun', ['run', '--no-install', program])).toEqual([]);
});

/** What the program says that has not ended with its block. */
async function run(command: string, args: string[]): Promise<unknown> {
  const { apiKey, apiUrl, sandboxUrl } = local;
  const { stdout } = await promisify(execFile)(command, args, {
    cwd: root,
    timeout: 50_000,
    env: { ...process.env, E2B_API_KEY: apiKey, E2B_API_URL: apiUrl, E2B_SANDBOX_URL: sandboxUrl },
  });
  return JSON.parse(stdout);
}
