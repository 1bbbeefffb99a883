import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll } from 'vitest';
import { type LocalServer, startWithEnvd } from '../../../../src/local/local-server.js';
import type { LocalServerOptions } from '../../../../src/local/options.js';

const cleanups: (() => void | Promise<void>)[] = [];

// At the top level, because vitest ignores what is registered while a hook runs.
afterAll(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});

let bundled: Promise<string> | undefined;

/** envd as one file, as the build makes it, so that these tests need no build. */
export function bundledEnvd(): Promise<string> {
  bundled ??= bundle('src/local/envd/main.ts', 'main.mjs');
  return bundled;
}

export async function bundle(entry: string, name: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'local-test-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  const outfile = join(directory, name);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['@lydell/node-pty', '@napi-rs/xattr'],
    // Packages that are CommonJS inside ask for it.
    banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
    logLevel: 'error',
  });
  return outfile;
}

/** A server that ends with the test file. */
export async function startServer(options: LocalServerOptions = {}): Promise<LocalServer> {
  const server = await startWithEnvd(options, await bundledEnvd());
  cleanups.push(() => server.close());
  return server;
}

/** What the control plane answers to a create. */
export interface Created {
  readonly sandboxID: string;
  readonly envdAccessToken: string;
  readonly envdVersion: string;
  readonly trafficAccessToken?: string;
}

export async function api(
  server: LocalServer,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  return fetch(server.apiUrl + path, {
    method,
    headers: { 'x-api-key': server.apiKey, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

export async function createSandbox(
  server: LocalServer,
  fields: Record<string, unknown> = {},
): Promise<Created> {
  const response = await api(server, 'POST', '/v2/sandboxes', { templateID: 'base', ...fields });
  if (response.status !== 201) throw new Error(`create: ${response.status} ${await response.text()}`);
  return (await response.json()) as Created;
}

/** The headers of a request to a sandbox's envd. */
export function envdHeaders(sandbox: Created): Record<string, string> {
  return {
    'e2b-sandbox-id': sandbox.sandboxID,
    'e2b-sandbox-port': '49983',
    'x-access-token': sandbox.envdAccessToken,
  };
}
