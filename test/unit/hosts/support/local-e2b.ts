/** The local sandbox server, run from its sources. */

import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type LocalServer, startWithEnvd } from '../../../../src/local/local-server.js';

const root = new URL('../../../../', import.meta.url);

export async function startLocalE2B(): Promise<{ server: LocalServer; close(): Promise<void> }> {
  // Inside node_modules, where the terminals' native module is found from.
  const envd = fileURLToPath(new URL(`node_modules/.cache/e2b-edge/${randomUUID()}/envd.mjs`, root));
  await build({
    entryPoints: [fileURLToPath(new URL('src/local/envd/main.ts', root))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['@lydell/node-pty*'],
    outfile: envd,
    logLevel: 'error',
  });
  const server = await startWithEnvd({ logger: { warn: () => undefined } }, envd);
  return {
    server,
    close: async () => {
      await server.close();
      await rm(dirname(envd), { recursive: true });
    },
  };
}
