import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';

/** The Worker of `worker.ts` in workerd, before a service at this address. */
export async function startWorker(
  e2bUrl: string,
  apiKey: string,
): Promise<{ url: string; close(): Promise<void> }> {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('./worker.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    write: false,
    logLevel: 'error',
  });
  const workerd = new Miniflare({
    modules: true,
    script: bundle.outputFiles[0]?.text ?? '',
    host: '127.0.0.1',
    port: 0,
    compatibilityDate: '2026-04-01',
    // No flags: above all no nodejs_compat.
    compatibilityFlags: [],
    bindings: { E2B_API_KEY: apiKey, E2B_URL: e2bUrl, SESSION_KEY: 'a secret of more than thirty-two bytes' },
    durableObjects: { PTY_HUB: 'PtyHub' },
  });
  return { url: (await workerd.ready).origin, close: () => workerd.dispose() };
}
