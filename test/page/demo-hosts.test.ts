/** The same page on the other hosts: broker and terminals in a Worker without `nodejs_compat`, in Deno and in Bun. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPage } from '../../demo/build.mjs';
import { launchChromium } from './support/browser.js';
import { type DemoHost, demoHosts } from './support/demo-hosts.js';
import { openLivePage, prompted, runCommand, terminalShows, typeLine } from './support/terminal-page.js';

const password = 'open sesame: ünicode';
let folder: string;
let local: LocalServer;
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'e2b-edge-hosts-'));
  await buildPage(folder);
  local = await startLocalServer();
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await local?.close();
  await rm(folder, { recursive: true, force: true });
});

describe.each(Object.keys(demoHosts))('the demo on %s', (name) => {
  let host: DemoHost;
  let page: Page;

  beforeAll(async () => {
    host = await demoHosts[name]!(local, folder, { DEMO_PASSWORD: password });
    page = await openLivePage(browser, host.url, { httpCredentials: { username: 'ann', password } });
  });

  afterAll(async () => {
    await page?.context().close();
    await host?.close();
  });

  test('has a shell, commands and files', async () => {
    await typeLine(page, 'echo $((6 * 7)) is the answer; echo text > a.txt');
    await terminalShows(page, /^42 is the answer$/m);
    await runCommand(page, 'echo out; echo err >&2; exit 3');
    await page.getByText('Exit code 3.').waitFor();
    await page.getByRole('button', { name: 'a.txt' }).click();
    await page.getByRole('dialog').getByText('text', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
  });

  test('comes back to the same shell after a reload', async () => {
    await typeLine(page, 'echo shell $$');
    const [, pid] = await terminalShows(page, /^shell (\d+)$/m);
    await page.reload();
    await prompted(page);
    await typeLine(page, 'echo again $$');
    await terminalShows(page, new RegExp(`^again ${pid}$`, 'm'));
  });

  const basic = (words: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(words).toString('base64')}`,
  });

  test('asks who comes, and serves no file but the page’s', async () => {
    const stranger = await fetch(host.url);
    expect(stranger.status).toBe(401);
    expect(stranger.headers.get('www-authenticate')).toMatch(/^Basic /);
    const friend = await fetch(host.url, { headers: basic(`ann:${password}`) });
    expect(friend.status).toBe(200);
    expect(friend.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await friend.text()).toContain('<title>Sandbox</title>');
    const odd = await fetch(`${host.url}/package.json`, { headers: basic(`ann:${password}`) });
    expect(odd.status).toBe(404);
  });

  test.each([
    ['without a sign-in', {}],
    ['with a wrong password', basic('ann:guess')],
    ['without a name', basic(`:${password}`)],
    ['with what is none', { authorization: 'Basic %%%' }],
  ])('gives no session %s', async (_how, headers: Record<string, string>) => {
    const answer = await fetch(`${host.url}/api/sandbox/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{}',
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'session_refused' });
  });
});
