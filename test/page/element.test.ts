/** `<sandbox-terminal>` in a page that has nothing but the element, against a real broker. */

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type DemoStage, startDemoStage } from './support/demo-stage.js';

const html = `<!doctype html>
<title>running</title>
<link rel="stylesheet" href="/main.css">
<script type="module" src="/main.js"></script>
<sandbox-terminal session-url="/api/sandbox"></sandbox-terminal>`;

let stage: DemoStage;
let page: Page;

beforeAll(async () => {
  stage = await startDemoStage(makePage);
});

afterAll(async () => {
  await stage?.close();
});

afterEach(async () => {
  await page?.close();
});

async function makePage(folder: string): Promise<void> {
  await writeFile(`${folder}/index.html`, html);
  const contents = "import '@xterm/xterm/css/xterm.css'; import 'e2b-edge/terminal/element';";
  await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    outfile: `${folder}/main.js`,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  });
}

test('opens with the address of a broker alone, and tells what happens', async () => {
  page = await stage.browser.newPage();
  await page.goto(stage.url);
  const rows = page.locator('.xterm-rows');
  await rows.getByText('$').first().waitFor();
  await page.evaluate(() => {
    const element = document.querySelector('sandbox-terminal')!;
    element.addEventListener('exit', (event) => {
      document.title = `exit ${(event as CustomEvent<{ exitCode: number }>).detail.exitCode}`;
    });
    element.focus();
  });
  await page.keyboard.type('echo $((6 * 7)) from the element\n');
  await rows.getByText('42 from the element').waitFor();
  await page.keyboard.type('exit 5\n');
  await expect.poll(() => page.title()).toBe('exit 5');
});

test('says in words why it cannot open, and tries again when asked', async () => {
  page = await stage.browser.newPage();
  const sessions = `${stage.url}/api/sandbox/sessions`;
  await page.route(sessions, (route) => route.abort());
  await page.goto(stage.url);
  await page.getByText('The server cannot be reached.').waitFor();
  await page.unroute(sessions);
  await page.getByRole('button', { name: 'Reconnect' }).click();
  await page.locator('.xterm-rows').getByText('$').first().waitFor();
});
