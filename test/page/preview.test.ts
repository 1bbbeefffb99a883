/** An app of a sandbox in a frame of the application's page. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from 'e2b-edge/browser';
import type { BrowserContext, Frame, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium } from '../../scripts/setup.mjs';
import { startPreviewApp } from '../broker/preview-app.js';
import { type PreviewStage, startPreviewStage } from './support/preview-stage.js';

declare global {
  var e2b: typeof import('e2b-edge/browser');
  var opened: { sandbox: Sandbox; url: string };
}

let stage: PreviewStage;
let profile: string;
let context: BrowserContext;

beforeAll(async () => {
  stage = await startPreviewStage();
  profile = await mkdtemp(join(tmpdir(), 'e2b-edge-profile-'));
  // A profile as people have it: a private window blocks what below the broker's path is another site's.
  context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium() as string,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
});

afterAll(async () => {
  await context?.close();
  await stage?.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});

/** Opens the page, starts the app in a sandbox, and shows it in the frame. */
async function show(mode: 'path' | 'host'): Promise<{ page: Page; frame: Frame; url: string }> {
  const page = await context.newPage();
  await page.goto(stage.url);
  await page.waitForFunction(() => 'e2b' in globalThis);
  await page.exposeFunction('startApp', (sandboxId: string) => startApp(sandboxId));
  const url = await page.evaluate(async (base) => {
    const { Sandbox: PageSandbox, fetchSession } = e2b;
    const sandbox = await PageSandbox.connect({ session: () => fetchSession(base) });
    await (globalThis as unknown as { startApp(id: string): Promise<void> }).startApp(sandbox.sandboxId);
    const preview = await sandbox.openPreview(3000);
    globalThis.opened = { sandbox, url: preview.url };
    document.querySelector('iframe')!.src = preview.url;
    return preview.url;
  }, `/${mode}`);
  const frame = await (await page.waitForSelector('#preview')).contentFrame();
  if (!frame) throw new Error('no frame');
  await frame.waitForSelector('text=It runs');
  return { page, frame, url };
}

async function startApp(sandboxId: string): Promise<void> {
  const { Sandbox: KeySandbox } = await import('e2b-edge');
  const { apiKey, apiUrl, sandboxUrl } = stage.local;
  const sandbox = await KeySandbox.connect(sandboxId, { apiKey, apiUrl, sandboxUrl });
  await startPreviewApp(sandbox as unknown as Sandbox);
}

describe.each(['path', 'host'] as const)('a preview in mode %s', (mode) => {
  test('shows the app, with its styles, images, scripts, socket and login', async () => {
    const { page, frame } = await show(mode);
    await expect.poll(() => frame.locator('#said').textContent()).toBe('classic');
    const colour = await frame.locator('h1').evaluate((element) => getComputedStyle(element).color);
    expect(colour).toBe('rgb(1, 2, 3)');
    const width = await frame.locator('img').evaluate((image) => (image as HTMLImageElement).naturalWidth);
    expect(width).toBe(7);
    // A page of no origin sends no cookies with modules, plain fetches and WebSockets.
    if (mode === 'host') {
      await expect.poll(() => frame.locator('#socket').textContent()).toBe('hot');
      await expect.poll(() => frame.evaluate('window.apiSaid')).toBe('GET');
    }
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${mode}.png` });
    await frame.getByRole('button').click();
    await frame.waitForSelector('text=Hello ann');
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${mode}-in.png` });
    await page.close();
  });

  test('keeps the app away from the page, the broker and its cookies', async () => {
    const { page, frame } = await show(mode);
    const reached = await frame.evaluate(
      async ({ base, origin }) => {
        const attempt = async (act: () => unknown): Promise<unknown> => {
          try {
            return await act();
          } catch (error) {
            return (error as Error).name;
          }
        };
        const mint: RequestInit = {
          method: 'POST',
          credentials: 'include',
          headers: { 'content-type': 'application/json' },
          body: '{}',
        };
        return {
          page: await attempt(() => parent.document.title),
          cookies: await attempt(() => document.cookie),
          storage: await attempt(() => typeof parent.localStorage),
          minted: await attempt(async () => (await fetch(`${origin}${base}/sessions`, mint)).status),
          worker: await attempt(async () => (await navigator.serviceWorker.register('classic.js')).scope),
        };
      },
      { base: `/${mode}`, origin: stage.url },
    );
    expect(reached).toMatchObject({ page: 'SecurityError', storage: 'SecurityError', minted: 'TypeError' });
    expect(String(reached.cookies)).not.toContain('app=ann');
    expect(String(reached.cookies)).not.toContain('e2b-preview');
    if (mode === 'path') {
      expect(await frame.evaluate('self.origin')).toBe('null');
      expect(reached).toMatchObject({ cookies: 'SecurityError' });
      expect(reached.worker).not.toMatch(/^http/);
    }
    await page.close();
  });

  test('is nothing to who was not let in', async () => {
    const { page, url } = await show(mode);
    const stranger = await context.browser()?.newContext();
    const other = (await stranger?.newPage()) ?? (await context.newPage());
    if (!stranger) await context.clearCookies();
    const answer = await other.goto(url);
    expect(answer?.status()).toBe(401);
    expect(await other.textContent('h1')).toBe('This preview is not open');
    await other.close();
    await page.close();
  });
});
