/** The demo's page as a newcomer uses it. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type DemoStage, startDemoStage } from './support/demo-stage.js';
import {
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

test('a shell answers what is typed', async () => {
  await open();
  await typeLine(page, 'echo $((6 * 7)) is the answer; tty');
  await terminalShows(page, /^42 is the answer\n\/dev\/pts\/\d+$/m);
});

test('vim and top draw the whole screen and give it back', async () => {
  await open();
  await typeLine(page, 'printf "one\\ntwo\\n" > a.txt; vi a.txt');
  await terminalShows(page, /^one\ntwo\n~ *\n~/m);
  await page.keyboard.type('Gothree');
  await page.keyboard.press('Escape');
  await page.keyboard.type(':wq');
  await page.keyboard.press('Enter');
  await prompted(page);
  await typeLine(page, 'clear; cat a.txt');
  await terminalShows(page, /^one\ntwo\nthree\n/m);
  await typeLine(page, 'top');
  await terminalShows(page, /PID +USER[\s\S]*bash/);
  await page.keyboard.press('q');
  await prompted(page);
});

test('Ctrl-C interrupts', async () => {
  await open();
  await typeLine(page, 'sleep 1000');
  await page.keyboard.press('Control+c');
  await terminalShows(page, /\^C/);
  await prompted(page);
});

test('a new size of the window is the size of the terminal', async () => {
  await open();
  await page.setViewportSize({ width: 900, height: 600 });
  const shown = () =>
    page.evaluate(() => {
      const { cols, rows } = (
        globalThis.demo.terminal as unknown as { terminal: { cols: number; rows: number } }
      ).terminal;
      return `${rows} ${cols}`;
    });
  const before = await shown();
  await page.setViewportSize({ width: 1500, height: 1000 });
  await expect.poll(shown).not.toBe(before);
  await expect
    .poll(async () => {
      await typeLine(page, 'clear; stty size');
      return (await terminalShows(page, /^\d+ \d+$/m))[0];
    })
    .toBe(await shown());
});

test('a reload comes back to the same shell, with what it showed', async () => {
  await open();
  await typeLine(page, 'here=there; echo shell $$');
  const [, pid] = await terminalShows(page, /^shell (\d+)$/m);
  const sandboxId = sandboxIdOf(page);
  await page.reload();
  await terminalShows(page, /^shell \d+$/m);
  await typeLine(page, 'echo again $$ $here');
  await terminalShows(page, new RegExp(`^again ${pid} there$`, 'm'));
  expect(sandboxIdOf(page)).toBe(sandboxId);
});

test('a reload types nothing into the shell, whatever programs had asked the terminal before', async () => {
  await open();
  // The place of the cursor, the attributes, a mode, the focus, a colour; read, as programs do.
  await typeLine(
    page,
    "stty -echo; printf '\\e[6n\\e[c\\e[>c\\e[?25$p\\e[?1004h\\e]11;?\\a'; sleep 0.5; read -t 0.5 -n 1000 x; stty echo; printf '\\e[?1004l'; echo as''ked",
  );
  await terminalShows(page, /^asked$/m);
  await prompted(page);
  await page.reload();
  await terminalShows(page, /^asked$/m);
  await typeLine(page, 'echo clean');
  await terminalShows(page, /\$ echo clean\nclean$/m);
});

test('a terminal taken over elsewhere says so, and can be taken back', async () => {
  await open();
  await typeLine(page, 'echo shell $$');
  const [, pid] = await terminalShows(page, /^shell (\d+)$/m);
  const other = await openLivePage(stage.browser, page.url());
  await other.evaluate(async (number) => void (await demo.sandbox.pty.connect(number)), Number(pid));
  await page.getByText('Another window is typing here.').waitFor();
  await page.getByRole('button', { name: 'Take over' }).click();
  await page.getByText('Another window is typing here.').waitFor({ state: 'hidden' });
  await typeLine(page, 'echo mine again $$');
  await terminalShows(page, new RegExp(`^mine again ${pid}$`, 'm'));
  await other.context().close();
});

test('a second tab has a shell of its own in the same sandbox', async () => {
  await open();
  await typeLine(page, 'touch shared; echo shell $$');
  const [, pid] = await terminalShows(page, /^shell (\d+)$/m);
  const second = await page.context().newPage();
  await second.goto(page.url());
  await prompted(second);
  await typeLine(second, 'ls; echo shell $$');
  const [, other] = await terminalShows(second, /^shared\nshell (\d+)$/m);
  expect(other).not.toBe(pid);
  // As a browser duplicates a tab: with a copy of what the first one remembers.
  const memory = await page.evaluate(() => JSON.stringify(sessionStorage));
  await second.evaluate((copy) => Object.assign(sessionStorage, JSON.parse(copy)), memory);
  await second.reload();
  await prompted(second);
  await typeLine(page, 'echo still $$');
  await terminalShows(page, new RegExp(`^still ${pid}$`, 'm'));
});

test('a command streams its output, tells its errors apart, and says how it ended', async () => {
  await open();
  await runCommand(
    page,
    'echo first; echo bad >&2; while [ ! -e go ]; do sleep 0.05; done; echo last; exit 3',
  );
  const output = page.getByRole('log', { name: 'Output' });
  await output.getByText('first').waitFor();
  await page.locator('.stderr', { hasText: 'bad' }).waitFor();
  expect(await output.textContent()).not.toContain('last');
  await typeLine(page, 'touch go');
  await page.getByText('Exit code 3.').waitFor();
  expect(await output.textContent()).toContain('last');
});

test('a command can be stopped', async () => {
  await open();
  await runCommand(page, 'echo started; sleep 1000');
  await page.getByRole('log').getByText('started').waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopped').waitFor();
  await runCommand(page, 'no-such-program');
  await page.getByText('Exit code 127: there is no such command.').waitFor();
});

test('files: folders, text, no text, too much', async () => {
  await open();
  await typeLine(
    page,
    'mkdir -p docs/deep; echo "grüße" > docs/text.txt; head -c 1000 /dev/urandom > docs/noise; yes 0123456789 | head -c 1000000 > docs/large; clear',
  );
  const entry = (name: string) => page.getByRole('button', { name });
  const dialog = page.getByRole('dialog');
  const close = () => dialog.getByRole('button', { name: 'Close' }).click();
  await entry('docs/').click();
  await entry('deep/').click();
  await page.getByText('This folder is empty.').waitFor();
  await page.getByRole('navigation', { name: 'Folder' }).getByRole('button', { name: 'docs/' }).click();
  await entry('text.txt').click();
  await dialog.getByText('grüße').waitFor();
  await close();
  await entry('noise').click();
  await dialog.getByText('This is not a text file (1.0 KB), so it cannot be shown.').waitFor();
  await close();
  await entry('large').click();
  await dialog.getByText('The first 262 KB of ').waitFor();
  expect((await dialog.locator('pre').textContent())?.length).toBe(256 * 1024);
  await close();
  await typeLine(page, 'rm docs/text.txt');
  await entry('text.txt').waitFor({ state: 'detached' });
});

test('a file with nothing in it says so', async () => {
  await open();
  await typeLine(page, ': > nothing');
  await page.getByRole('button', { name: 'nothing' }).click();
  await page.getByRole('dialog').getByText('This file is empty.').waitFor();
});

test('a shell that ended is told, and another one starts in its place', async () => {
  await open();
  await typeLine(page, 'exit 4');
  await page.getByText('The shell ended (exit status 4).').waitFor();
  await page.getByRole('button', { name: 'Start a new shell' }).click();
  await prompted(page);
  await typeLine(page, 'echo works');
  await terminalShows(page, /^works$/m);
  expect(await terminalText(page)).not.toContain('exit 4');
});

test('a remembered shell that is not there any more gives way to a new one', async () => {
  await open();
  const key = `shell:${sandboxIdOf(page)}`;
  await page.evaluate((name) => sessionStorage.setItem(name, '4000000'), key);
  await page.reload();
  await prompted(page);
  await typeLine(page, 'echo works');
  await terminalShows(page, /^works$/m);
});

test('a new sandbox takes the place of this one, which ends', async () => {
  await open();
  const before = sandboxIdOf(page);
  await page.getByRole('button', { name: 'New sandbox' }).click();
  await page.getByRole('button', { name: 'Start a new one' }).click();
  await expect.poll(() => sandboxIdOf(page)).not.toBe(before);
  await prompted(page);
  const { apiUrl, apiKey } = stage.local;
  const answer = await fetch(`${apiUrl}/sandboxes/${before}`, { headers: { 'x-api-key': apiKey } });
  expect(answer.status).toBe(404);
});
