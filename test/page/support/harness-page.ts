import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';

const address = 'http://harness.test/';

/** Opens a page with the terminal's entries and a scripted sandbox, without any server. */
export async function openHarness(browser: Browser): Promise<Page> {
  const script = await bundleHarness();
  const css = await readFile(createRequire(import.meta.url).resolve('@xterm/xterm/css/xterm.css'), 'utf8');
  const html = `<!doctype html><meta charset="utf-8"><title>Terminal</title>
    <link rel="stylesheet" href="/xterm.css"><style>#terminal{width:640px;height:400px}</style>
    <div id="terminal"></div><script type="module" src="/harness.js"></script>`;
  const answers: Record<string, [string, string]> = {
    '/': ['text/html', html],
    '/xterm.css': ['text/css', css],
    '/harness.js': ['text/javascript', script],
  };
  const page = await browser.newPage();
  await page.route(`${address}**`, (route) => {
    const [contentType, body] = answers[new URL(route.request().url()).pathname] ?? ['text/plain', ''];
    return route.fulfill({ contentType, body });
  });
  await page.goto(address);
  await page.waitForFunction(() => 'harness' in globalThis);
  return page;
}

async function bundleHarness(): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('./terminal-harness.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return result.outputFiles[0]!.text;
}
