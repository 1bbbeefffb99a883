/** What the page does when something breaks. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type DemoStage, startDemoStage } from './support/demo-stage.js';
import {
  linkIs,
  openLivePage,
  prompted,
  runCommand,
  sandboxIdOf,
  terminalShows,
  terminalText,
  typeLine,
} from './support/terminal-page.js';

let stage: DemoStage;
let page: Page;

beforeAll(async () => {
  stage = await startDemoStage();
});

afterAll(async () => {
  await stage?.close();
});

afterEach(async () => {
  await page?.context().close();
});

async function open(): Promise<void> {
  page = await openLivePage(stage.browser, stage.url);
}

async function killSandbox(sandboxId: string): Promise<void> {
  const { apiUrl, apiKey } = stage.local;
  const answer = await fetch(`${apiUrl}/sandboxes/${sandboxId}`, {
    method: 'DELETE',
    headers: { 'x-api-key': apiKey },
  });
  expect(answer.status).toBe(204);
}

/** The numbers of the lines that say one. */
const numbers = async () =>
  [...(await terminalText(page)).matchAll(/^line (\d+)$/gm)].map(([, number]) => Number(number));

test('connections cut in mid-output lose nothing and double nothing', async () => {
  await open();
  // Fewer lines than the terminal keeps, in bursts, so that cuts fall into them.
  await typeLine(
    page,
    'clear; for i in $(seq 4000); do echo line $i; [ $((i % 200)) = 0 ] && sleep 0.1; done; echo d""one',
  );
  for (const reached of [200, 1000, 1800, 3000]) {
    await expect.poll(async () => (await numbers()).length, { timeout: 30_000 }).toBeGreaterThan(reached);
    stage.proxy.cut();
  }
  await terminalShows(page, /^done$/m, 30_000);
  expect(await numbers()).toEqual(Array.from({ length: 4000 }, (_, index) => index + 1));
});

test('a network that is gone for a while is told, and what was typed meanwhile arrives once', async () => {
  await open();
  await typeLine(page, 'echo shell $$');
  const [, pid] = await terminalShows(page, /^shell (\d+)$/m);
  stage.proxy.breakDown();
  await linkIs(page, 'Reconnecting…');
  await page.getByText('Connection lost. Reconnecting…').waitFor();
  await typeLine(page, 'echo typed meanwhile $$');
  stage.proxy.heal();
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await linkIs(page, 'Live');
  await terminalShows(page, new RegExp(`^typed meanwhile ${pid}$`, 'm'));
  expect((await terminalText(page)).match(/^typed meanwhile/gm)).toHaveLength(1);
});

test('a server that was killed and started again is told, and the page recovers', async () => {
  await open();
  await typeLine(page, 'echo shell $$');
  const [, pid] = await terminalShows(page, /^shell (\d+)$/m);
  await stage.killHost();
  await page.getByText('Connection lost. Reconnecting…').waitFor();
  await runCommand(page, 'echo unheard');
  await page
    .getByText('The server of this page does not answer. Is “npm start” still running?')
    .first()
    .waitFor();
  await stage.startHost();
  await page.getByRole('button', { name: 'Try now' }).click();
  await linkIs(page, 'Live');
  await typeLine(page, 'echo same $$');
  await terminalShows(page, new RegExp(`^same ${pid}$`, 'm'));
  await runCommand(page, 'echo heard');
  await page.getByRole('log').getByText('heard', { exact: true }).waitFor();
});

test('trouble that is over is not shown any more', async () => {
  await open();
  stage.proxy.breakDown();
  await page.getByText('Connection lost. Reconnecting…').waitFor();
  await page.getByRole('button', { name: 'Refresh' }).click();
  const banner = page.getByRole('alert').getByText('The server of this page does not answer.');
  await banner.waitFor();
  stage.proxy.heal();
  await linkIs(page, 'Live');
  await banner.waitFor({ state: 'hidden' });
});

test('a page that finds no broker says so, and tries again when asked', async () => {
  await open();
  const api = `${stage.url}/api/**`;
  await page.route(api, (route) => route.abort());
  await page.reload();
  await page.getByRole('alert').getByText('The server of this page does not answer.').waitFor();
  await linkIs(page, 'Disconnected');
  await page.unroute(api);
  await page.getByRole('button', { name: 'Try again' }).click();
  await prompted(page);
});

test.each([
  [201, '{"token":5}', 'The server of this page gave no usable answer.'],
  [200, '<html>', 'The server of this page gave no usable answer.'],
  [500, '{"code":"broker_misconfigured","message":"…"}', 'The server of this page is not set up rightly.'],
  [403, '{"code":"session_refused","message":"…"}', 'The server does not let you use this sandbox.'],
  [429, '{"code":"rate_limited","message":"…"}', 'Too many requests. Wait a moment.'],
])('a session answered with %i %s is said in words', async (status, body, words) => {
  page = await (await stage.browser.newContext()).newPage();
  await page.route(`${stage.url}/api/**`, (route) => route.fulfill({ status, body }));
  await page.goto(stage.url);
  await page.getByRole('alert').getByText(words).waitFor();
});

test('a file that is not there any more is said in words', async () => {
  await open();
  await typeLine(page, 'touch fleeting');
  const entry = page.getByRole('button', { name: 'fleeting' });
  await entry.waitFor();
  await page.route('**/files?*', (route) => route.fulfill({ status: 404, body: '{"code":404}' }));
  await entry.click();
  await page.getByRole('dialog').getByText('It is not there any more.').waitFor();
});

test('a sandbox that ended is told, and a new one is offered', async () => {
  await open();
  const before = sandboxIdOf(page);
  await killSandbox(before);
  await page.getByRole('alert').getByText('This sandbox has ended.').waitFor();
  await page.getByRole('button', { name: 'Start a new sandbox' }).click();
  await expect.poll(() => sandboxIdOf(page)).not.toBe(before);
  await prompted(page);
});

test('an address of a sandbox that is gone says so', async () => {
  await open();
  const { url } = stage;
  const gone = `${url}/#sandbox=${sandboxIdOf(page)}`;
  await killSandbox(sandboxIdOf(page));
  const other = await page.context().newPage();
  await other.goto(gone);
  await other.getByRole('alert').getByText('This sandbox has ended.').waitFor();
  await other.getByRole('button', { name: 'Start a new sandbox' }).click();
  await prompted(other);
});

test('a command whose connection is lost says what is missing, and is still in hand', async () => {
  await open();
  await runCommand(page, 'echo started; sleep 1000');
  await page.getByRole('log').getByText('started').waitFor();
  stage.proxy.cut();
  await page.getByText('Some output is missing').waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopped.').waitFor();
});
