/** A real development server in a sandbox, shown through the broker: it changes the page without loading it again. */

import { Sandbox } from 'e2b-edge';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from './support/browser.js';
import { type PreviewStage, startPreviewStage } from './support/preview-stage.js';
import { startVite, words } from './support/vite-app.js';

/** As in docs/previews.md. */
const config = `export default { server: { allowedHosts: ['.e2b.app'] } };`;

let stage: PreviewStage;
let browser: Browser;

beforeAll(async () => {
  stage = await startPreviewStage();
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await stage?.close();
});

test('Vite changes its page in a preview without a reload', async () => {
  const page = await browser.newPage();
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.goto(stage.url);
  await page.waitForFunction(() => 'e2b' in globalThis);
  const sandboxId = await page.evaluate(async () => {
    const { Sandbox: PageSandbox, fetchSession } = e2b;
    const sandbox = await PageSandbox.connect({ session: () => fetchSession('/host') });
    globalThis.opened = { sandbox, url: '' };
    return sandbox.sandboxId;
  });
  const { apiKey, apiUrl, sandboxUrl } = stage.local;
  const sandbox = await Sandbox.connect(sandboxId, { apiKey, apiUrl, sandboxUrl });
  await startVite(sandbox, config);

  await page.evaluate(async () => {
    const { url } = await opened.sandbox.openPreview(3000);
    document.querySelector('iframe')!.src = url;
  });
  const frame = page.frameLocator('#preview');
  await frame.getByRole('heading', { name: 'as it began' }).waitFor();
  await frame.getByRole('heading', { name: 'as it began' }).waitFor();
  await expect.poll(() => sockets.length).toBe(1);
  expect(new URL(sockets[0]!).host).toBe(`3000-${sandboxId}.localhost:${new URL(stage.url).port}`);

  // What a reload would forget.
  await frame.getByRole('textbox').fill('typed');
  await sandbox.commands.run(`cat > words.js <<'end'\n${words('as it is now')}end`);
  await frame.getByRole('heading', { name: 'as it is now' }).waitFor();
  expect(await frame.getByRole('textbox').inputValue()).toBe('typed');

  // The local server's apps see an IP address, which Vite always takes; those of the cloud see such a name.
  expect(await statusFor(sandbox, '3000-sandbox.e2b.app')).toBe('200');
  expect(await statusFor(sandbox, '3000-sandbox.evil.example')).toBe('403');
});

/** What Vite answers to a request for this host. */
async function statusFor(sandbox: Sandbox, host: string): Promise<string> {
  const ask = `require('http').get('http://localhost:3000/', { headers: { host: '${host}' } }, (answer) => console.log(answer.resume().statusCode))`;
  return (await sandbox.commands.run(`node -e "${ask}"`)).stdout.trim();
}
