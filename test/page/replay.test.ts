/** What xterm answers by itself must not reach the shell when the question was printed to a screen of before. */

import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchChromium } from './support/browser.js';
import { openHarness } from './support/harness-page.js';
import type {} from './support/terminal-harness.js';

let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
});

beforeEach(async () => {
  page = await openHarness(browser);
  await page.evaluate(async () => {
    globalThis.sandbox = new harness.ScriptedSandbox();
    const element = document.querySelector<HTMLElement>('#terminal')!;
    globalThis.terminal = await harness.openTerminal(sandbox as never, element, {});
  });
});

afterEach(async () => {
  await page.close();
});

/** Prints in pieces of a size, as a replay or as what comes now, and gives what was sent once all of it is parsed. */
async function answerTo(printed: Buffer, { replayed = false, pieceBytes = 65_536 } = {}): Promise<string> {
  const sent = await page.evaluate(
    async ({ bytes, isReplay, size }) => {
      const { channel } = sandbox;
      const data = Uint8Array.from(bytes);
      if (isReplay) channel.replayUntil = data.length;
      for (let from = 0; from < data.length; from += size) channel.print(data.slice(from, from + size));
      while (channel.acks.at(-1) !== data.length) await new Promise((resolve) => setTimeout(resolve, 5));
      return channel.sent.flatMap((piece) => Array.from(piece));
    },
    { bytes: [...printed], isReplay: replayed, size: pieceBytes },
  );
  return Buffer.from(sent).toString('latin1');
}

/** A session in vim, as it printed it: it asks for attributes, versions, colours and the place of the cursor. */
const vim = () => readFile(new URL('./recordings/vim.out', import.meta.url));

test('a session in vim that is shown again', async () => {
  expect(await answerTo(await vim(), { replayed: true })).toBe('');
});

test('cut anywhere', async () => {
  expect(await answerTo(await vim(), { replayed: true, pieceBytes: 7 })).toBe('');
});

test('where it runs now, vim is answered', async () => {
  const said = await answerTo(await vim());
  expect(said).toMatch(/\x1b\[\d+;\d+R/);
  expect(said).toMatch(/\x1b\[>[\d;]+c/);
  expect(said).toMatch(/\x1b\]11;rgb:/);
});

test.each([
  ['its status (DSR 5)', '\x1b[5n'],
  ['the cursor (DSR 6)', '\x1b[6n'],
  ['the cursor, as DEC has it', '\x1b[?6n'],
  ['primary attributes (DA1)', '\x1b[c'],
  ['secondary attributes (DA2)', '\x1b[>c'],
  ['a mode (DECRQM)', '\x1b[?2004$p'],
  ['a setting (DECRQSS)', '\x1bP$qr\x1b\\'],
  ['a colour (OSC 4)', '\x1b]4;1;?\x07'],
  ['the background (OSC 11)', '\x1b]11;?\x1b\\'],
])('asked for %s', async (_what, question) => {
  expect(await answerTo(Buffer.from(question), { replayed: true })).toBe('');
  // The same question from a program that waits for it is answered.
  const live = await page.evaluate(async (text) => {
    const { channel } = sandbox;
    channel.print(text);
    while (channel.acks.at(-1) !== 2 * text.length) await new Promise((resolve) => setTimeout(resolve, 5));
    return channel.sent.length;
  }, question);
  expect(live).toBeGreaterThan(0);
});
