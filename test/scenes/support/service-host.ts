/** The web service on each of its hosts, as a process or as a Worker, with everything that it says. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';

export interface ServiceHost {
  url: string;
  /** What it has printed so far. */
  log(): string;
  close(): Promise<void>;
}

export type Account = Record<'E2B_API_KEY' | 'E2B_API_URL' | 'E2B_SANDBOX_URL', string>;

const root = fileURLToPath(new URL('../../../', import.meta.url));

export const hosts: Record<string, (account: Account) => Promise<ServiceHost>> = {
  Node: (account) => startProcess(process.execPath, ['demo/scenes/run.mjs', 'web-service'], account),
  Deno: (account) =>
    startProcess(
      `${root}node_modules/.bin/deno`,
      [
        'run',
        '--no-remote',
        '--cached-only',
        '--node-modules-dir=manual',
        '--no-lock',
        '--no-prompt',
        '--allow-net=127.0.0.1',
        '--allow-env=E2B_*,PORT',
        'demo/scenes/web-service/deno.ts',
      ],
      account,
    ),
  Worker: startWorker,
};

async function startProcess(program: string, args: string[], account: Account): Promise<ServiceHost> {
  const child = spawn(program, args, {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', ...account },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  child.stderr.on('data', (piece) => said.push(String(piece)));
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    const [, url] = /^Listening on (http:\S+)$/.exec(line) ?? [];
    if (url) return { url, log: () => said.join('\n'), close: () => end(child) };
  }
  throw new Error(`The service ended with ${child.exitCode}: ${said.join('\n')}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}

async function startWorker(account: Account): Promise<ServiceHost> {
  const bundled = await build({
    entryPoints: [`${root}demo/scenes/web-service/worker.ts`],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['workerd'],
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  const said: string[] = [];
  const worker = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    modules: true,
    script: bundled.outputFiles[0]!.text,
    compatibilityDate: '2026-04-26',
    bindings: account,
    handleRuntimeStdio: (...streams: Readable[]) => {
      for (const stream of streams) stream.on('data', (piece) => said.push(String(piece)));
    },
  });
  const { origin } = await worker.ready;
  return { url: origin, log: () => said.join(''), close: () => worker.dispose() };
}
