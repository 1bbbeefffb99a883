/** The same page through the Worker host: broker and terminals in workerd, without `nodejs_compat`. */

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPage } from '../../demo/build.mjs';
import { launchChromium } from './support/browser.js';
import { openLivePage, prompted, runCommand, terminalShows, typeLine } from './support/terminal-page.js';

let folder: string;
let local: LocalServer;
let worker: Miniflare;
let browser: Browser;
let page: Page;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'e2b-edge-worker-'));
  await buildPage(folder);
  local = await startLocalServer();
  worker = await startWorker({ OPEN_TO_ANYONE: 'yes' });
  url = (await worker.ready).origin;
  browser = await launchChromium();
  page = await openLivePage(browser, url);
});

afterAll(async () => {
  await browser?.close();
  await worker?.dispose();
  await local?.close();
  await rm(folder, { recursive: true, force: true });
});

async function startWorker(bindings: Record<string, string>): Promise<Miniflare> {
  const bundled = await build({
    entryPoints: [fileURLToPath(new URL('../../demo/worker/worker.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['workerd'],
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  const port = await freePort();
  return new Miniflare({
    host: '127.0.0.1',
    port,
    modules: true,
    script: bundled.outputFiles[0]!.text,
    compatibilityDate: '2026-04-26',
    durableObjects: { PTY_HUB: { className: 'PtyHub', useSQLite: true } },
    assets: {
      directory: folder,
      binding: 'ASSETS',
      routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
    },
    bindings: {
      E2B_API_KEY: local.apiKey,
      E2B_API_URL: local.apiUrl,
      E2B_SANDBOX_URL: local.sandboxUrl,
      SESSION_KEY: 'a key that is only good for a test, 32 bytes and more',
      ORIGINS: `http://127.0.0.1:${port}`,
      ...bindings,
    },
  });
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

test('a shell, a command and a file', async () => {
  await typeLine(page, 'echo $((6 * 7)) from workerd; echo text > a.txt');
  await terminalShows(page, /^42 from workerd$/m);
  await runCommand(page, 'echo out; echo err >&2; exit 3');
  await page.getByText('Exit code 3.').waitFor();
  await page.getByRole('button', { name: 'a.txt' }).click();
  await page.getByRole('dialog').getByText('text', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
});

test('a reload comes back to the same shell', async () => {
  await typeLine(page, 'echo shell $$');
  const [, pid] = await terminalShows(page, /^shell (\d+)$/m);
  await page.reload();
  await prompted(page);
  await typeLine(page, 'echo again $$');
  await terminalShows(page, new RegExp(`^again ${pid}$`, 'm'));
});

test('strangers are refused unless it is said that anybody may come', async () => {
  const closed = await startWorker({ OPEN_TO_ANYONE: 'no' });
  const answer = await closed.dispatchFetch('http://127.0.0.1/api/sandbox/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(answer.status).toBe(403);
  await answer.text();
  await closed.dispose();
});
