/** The demo on each of its hosts but Node, which `demo-stage.ts` starts. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { LocalServer } from 'e2b-edge/local';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { denoArguments } from '../../runtimes/deno-arguments.js';
import { startProgram } from '../../runtimes/runtime-process.js';

export interface DemoHost {
  url: string;
  close(): Promise<void>;
}

/** The settings that a test chooses. */
export type DemoSettings = { DEMO_PASSWORD?: string; OPEN_TO_ANYONE?: string };

type StartHost = (local: LocalServer, folder: string, settings: DemoSettings) => Promise<DemoHost>;

/** By name; each takes the folder with the page. */
export const demoHosts: Record<string, StartHost> = {
  Worker: startWorker,
  Deno: (local, folder, settings) =>
    startProcess(
      'deno',
      [
        ...denoArguments.filter((one) => !one.startsWith('--allow-env')),
        '--allow-env',
        '--unstable-kv',
        `--allow-read=${folder}`,
        'demo/deno/main.ts',
      ],
      { ...settingsFor(local), ...settings, PAGE_FOLDER: folder, KV_PATH: ':memory:' },
    ),
  Bun: (local, folder, settings) =>
    startProcess('bun', ['run', '--no-install', 'demo/bun/main.ts'], {
      ...settingsFor(local),
      ...settings,
      PAGE_FOLDER: folder,
    }),
};

function settingsFor({ apiKey, apiUrl, sandboxUrl }: LocalServer): Record<string, string> {
  return {
    E2B_API_KEY: apiKey,
    E2B_API_URL: apiUrl,
    E2B_SANDBOX_URL: sandboxUrl,
    SESSION_KEY: 'a key that is only good for a test, 32 bytes and more',
    PORT: '0',
  };
}

async function startProcess(program: string, args: string[], env: Record<string, string>): Promise<DemoHost> {
  const { url, pid, close } = await startProgram(program, args, env);
  return {
    url,
    close: () => {
      if (pid > 1) process.kill(pid, 'SIGTERM');
      return close();
    },
  };
}

async function startWorker(local: LocalServer, folder: string, settings: DemoSettings): Promise<DemoHost> {
  const bundled = await build({
    entryPoints: [fileURLToPath(new URL('../../../demo/worker/worker.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['workerd'],
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  const port = await freePort();
  const worker = new Miniflare({
    host: '127.0.0.1',
    port,
    modules: true,
    script: bundled.outputFiles[0]!.text,
    compatibilityDate: '2026-04-26',
    durableObjects: {
      PTY_HUB: { className: 'PtyHub', useSQLite: true },
      SESSION_STORE: { className: 'SessionStoreObject', useSQLite: true },
    },
    assets: {
      directory: folder,
      binding: 'ASSETS',
      routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
    },
    bindings: { ...settingsFor(local), ORIGINS: `http://127.0.0.1:${port}`, ...settings },
  });
  const { origin } = await worker.ready;
  return { url: origin, close: () => worker.dispose() };
}

/** The Worker has to know its own address before it runs. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
