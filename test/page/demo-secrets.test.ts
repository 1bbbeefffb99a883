/** The page never sees what it must not have: the API key, and envd's own token. */

import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DemoStage, startDemoStage } from './support/demo-stage.js';
import { PageTraffic } from './support/page-traffic.js';
import { formsFound } from './support/secret-forms.js';
import { prompted, runCommand, sandboxIdOf, terminalShows, typeLine } from './support/terminal-page.js';

let stage: DemoStage;
let page: Page;
let traffic: PageTraffic;
let secrets: Record<string, string>;
/** What the page rightly has: a search that does not find it finds nothing at all. */
let sessionToken: string;

beforeAll(async () => {
  stage = await startDemoStage();
  page = await (await stage.browser.newContext()).newPage();
  traffic = await PageTraffic.watch(page);
  await page.goto(stage.url);
  await prompted(page);
  await usePage();
  secrets = { 'the API key': stage.local.apiKey, "envd's token": await envdToken(sandboxIdOf(page)) };
  sessionToken = /"token":"([^"]+)"/.exec((await traffic.bytes()).toString())?.[1] ?? '';
});

afterAll(async () => {
  await stage?.close();
});

/** All that the page can do, a drop of the network included. */
async function usePage(): Promise<void> {
  await typeLine(page, 'env; echo text > a.txt; echo typed');
  await terminalShows(page, /^typed$/m);
  await page.getByRole('button', { name: 'a.txt' }).click();
  await page.getByRole('dialog').getByText('text', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await runCommand(page, 'env; cat /proc/self/cmdline; exit 7');
  await page.getByText('Exit code 7.').waitFor();
  await runCommand(page, 'sleep 1000');
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopped').waitFor();
  stage.proxy.cut();
  await typeLine(page, 'echo typed again');
  await terminalShows(page, /^typed again$/m);
  await page.reload();
  await prompted(page);
}

async function envdToken(sandboxId: string): Promise<string> {
  const { apiUrl, apiKey } = stage.local;
  const answer = await fetch(`${apiUrl}/sandboxes/${sandboxId}/connect`, {
    method: 'POST',
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ timeout: 300 }),
  });
  const { envdAccessToken } = (await answer.json()) as { envdAccessToken?: string };
  expect(envdAccessToken, 'the sandbox has no token of its own, so nothing is proven').toMatch(/^.{16,}$/);
  return envdAccessToken as string;
}

/** What of the secrets is in there, and in which form; never the whole secret, which would be in a log then. */
function leaks(haystack: Buffer | string): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    formsFound(secret, haystack).map((form) => `${name} as ${form.slice(0, 6)}…`),
  );
}

test('not in anything that it sent or received', async () => {
  const seen = await traffic.bytes();
  expect(traffic.frames).toBeGreaterThan(10);
  expect(formsFound(sessionToken, seen)).not.toEqual([]);
  expect(leaks(seen)).toEqual([]);
});

test('not on the wire, streams included', () => {
  const wire = stage.proxy.recorded();
  expect(formsFound(sessionToken, wire)).not.toEqual([]);
  expect(leaks(wire)).toEqual([]);
});

test('not in storage, cookies, the address or the document; and no session token either', async () => {
  const kept = await page.evaluate(async () => ({
    local: JSON.stringify(localStorage),
    session: JSON.stringify(sessionStorage),
    cookie: document.cookie,
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
    address: location.href,
    history: JSON.stringify(history.state),
    document: document.documentElement.outerHTML,
  }));
  expect(kept.databases).toEqual([]);
  expect(kept.caches).toEqual([]);
  const cookies = await page.context().cookies();
  expect(cookies).toEqual([]);
  const all = JSON.stringify(kept);
  expect(leaks(all)).toEqual([]);
  expect(formsFound(sessionToken, all)).toEqual([]);
});

test('not in its memory', async () => {
  const heap = await heapSnapshot(await page.context().newCDPSession(page));
  // What the page rightly has, so that it is known to be this page's memory.
  expect(heap.includes(sandboxIdOf(page))).toBe(true);
  expect(leaks(heap)).toEqual([]);
});

async function heapSnapshot(session: CDPSession): Promise<string> {
  const chunks: string[] = [];
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  return chunks.join('');
}

test('the search finds a secret in each of its forms', () => {
  const secret = 'e2b_0123456789abcdef0123456789abcdef01234567';
  for (const hidden of [
    `x${secret}y`,
    Buffer.from(secret).toString('hex'),
    Buffer.from(`a${secret}b`).toString('base64'),
    Buffer.from(`ab${secret}c`).toString('base64url'),
    JSON.stringify({ deep: [secret] }),
  ]) {
    expect(formsFound(secret, hidden)).not.toEqual([]);
  }
  expect(formsFound(secret, 'e2b_0123456789abcdef')).toEqual([]);
});
