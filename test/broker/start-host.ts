/** Starts the host program in a runtime. */

import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { bundle } from '../runtimes/bundle.js';
import { denoArguments } from '../runtimes/deno-arguments.js';
import { type Program, startProgram } from '../runtimes/runtime-process.js';
import { type HostSetup, setupVariable } from './host/setup.js';

export const hostNames = ['node', 'deno', 'bun', 'workerd'] as const;
export type HostName = (typeof hostNames)[number];

/** A host program that runs. */
export type Host = Program;

export function startHost(runtime: HostName, setup: HostSetup): Promise<Host> {
  const env = { [setupVariable]: JSON.stringify(setup) };
  switch (runtime) {
    case 'node':
      return startNode(env);
    case 'deno':
      return startProgram('deno', [...denoArguments, '--unstable-kv', 'test/broker/host/deno.ts'], env);
    case 'bun':
      return startProgram('bun', ['run', '--no-install', 'test/broker/host/bun.ts'], env);
    case 'workerd':
      return startWorkerd(setup);
  }
}

/** As a text: what it imports is looked for from the folder where it runs. */
async function startNode(env: Record<string, string>): Promise<Host> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./host/node.ts', import.meta.url))],
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    write: false,
    logLevel: 'error',
  });
  return startProgram(process.execPath, ['--input-type=module', '--eval', outputFiles[0]!.text], env);
}

async function startWorkerd(setup: HostSetup): Promise<Host> {
  let output = '';
  const worker = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    modules: true,
    script: await bundle('../broker/host/worker.ts', ['workerd', 'worker', 'browser']),
    compatibilityDate: '2026-04-01',
    // No flags: above all no nodejs_compat.
    compatibilityFlags: [],
    bindings: { SETUP: setup as never },
    durableObjects: {
      PTY_HUB: { className: 'PtyHub', useSQLite: true },
      SESSION_STORE: { className: 'SessionStoreObject', useSQLite: true },
    },
    handleRuntimeStdio: (...streams: Readable[]) => {
      for (const stream of streams) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      }
    },
  });
  const { origin } = await worker.ready;
  return { url: origin, pid: await workerdPid(), output: () => output, close: () => worker.dispose() };
}

/** Miniflare does not tell it. */
async function workerdPid(): Promise<number> {
  const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  for (const pid of children.trim().split(' ')) {
    if ((await readFile(`/proc/${pid}/comm`, 'utf8')).trim() === 'workerd') return Number(pid);
  }
  throw new Error('There is no process of workerd.');
}
