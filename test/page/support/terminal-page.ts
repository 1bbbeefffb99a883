/** What a test does with the demo's page. They wait for what they expect to see; none waits for a time. */

import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect, vi } from 'vitest';

declare global {
  /** What the demo's page leaves in the console's reach. */
  var demo: {
    sandbox: { pty: { connect(pid: number): Promise<unknown> } };
    terminal: {
      terminal: {
        buffer: {
          active: { length: number; getLine(row: number): { translateToString(trim: boolean): string } };
        };
      };
    };
  };
}

/** Opens the page in a context of its own and waits for the shell's prompt. */
export async function openLivePage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  await page.goto(url);
  await prompted(page);
  return page;
}

/** Waits until the shell waits for a command. */
export async function prompted(page: Page): Promise<void> {
  await linkIs(page, 'Live');
  await terminalShows(page, /\$ ?$/);
}

/** Waits for the words of the link's state in the header. */
export async function linkIs(page: Page, words: string): Promise<void> {
  await page.locator('#link', { hasText: words }).waitFor();
}

/** All lines that the terminal has, also those scrolled off, without empty ones at the end. */
export function terminalText(page: Page): Promise<string> {
  return page.evaluate(() => {
    const buffer = globalThis.demo?.terminal?.terminal.buffer.active;
    if (!buffer) return '';
    const lines = Array.from({ length: buffer.length }, (_, row) =>
      buffer.getLine(row).translateToString(true),
    );
    return lines.join('\n').trimEnd();
  });
}

/** Types a line into the terminal. */
export async function typeLine(page: Page, line: string): Promise<void> {
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

/** Waits until the terminal shows something, and gives what matched. */
export async function terminalShows(page: Page, pattern: RegExp, timeout = 15_000): Promise<RegExpExecArray> {
  return vi.waitFor(
    async () => {
      const text = await terminalText(page);
      expect(text).toMatch(pattern);
      return pattern.exec(text) as RegExpExecArray;
    },
    { timeout, interval: 50 },
  );
}

/** Runs a command from the panel without waiting for its end. */
export async function runCommand(page: Page, command: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Command' }).fill(command);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
}

/** The sandbox that the page is at. */
export function sandboxIdOf(page: Page): string {
  return new URLSearchParams(new URL(page.url()).hash.slice(1)).get('sandbox') ?? '';
}
