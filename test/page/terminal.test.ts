import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchChromium } from './support/browser.js';
import { openHarness } from './support/harness-page.js';
import type { ScriptedSandbox } from './support/scripted-channel.js';
import type {} from './support/terminal-harness.js';

declare global {
  var sandbox: ScriptedSandbox;
  var terminal: Awaited<ReturnType<typeof harness.openTerminal>>;
}

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
});

afterEach(async () => {
  await page.close();
});

async function open(options: { pid?: number; restart?: boolean } = {}): Promise<void> {
  await page.evaluate(async (given) => {
    globalThis.sandbox = new harness.ScriptedSandbox();
    const element = document.querySelector<HTMLElement>('#terminal')!;
    globalThis.terminal = await harness.openTerminal(sandbox as never, element, given);
  }, options);
}

/** The text of the screen and of what was scrolled off it, without empty lines at the end. */
const screen = () =>
  page.evaluate(() => {
    const { active } = terminal.terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, row) =>
      active.getLine(row)!.translateToString(true),
    );
    return lines.join('\n').trimEnd();
  });

const shows = (text: string) => expect.poll(screen).toContain(text);
const sent = () => page.evaluate(() => sandbox.channel.sent.flatMap((data) => Array.from(data)));
const sentText = async () => Buffer.from(await sent()).toString();

test('asks for a shell of the size of the element', async () => {
  await open();
  const { asked, cols, rows } = await page.evaluate(() => ({
    asked: sandbox.asked,
    cols: terminal.terminal.cols,
    rows: terminal.terminal.rows,
  }));
  expect(asked).toMatchObject([{ create: { cols, rows } }]);
  expect(cols).toBeGreaterThan(60);
  expect(rows).toBeGreaterThan(15);
});

test('takes an emoji to be as wide as the programs in the sandbox do', async () => {
  await open();
  await page.evaluate(() => sandbox.channel.print('🎉x'));
  await shows('🎉x');
  expect(await page.evaluate(() => terminal.terminal.buffer.active.cursorX)).toBe(3);
});

test('shows output and acknowledges it once it is parsed', async () => {
  await open();
  await page.evaluate(() => sandbox.channel.print('hello\r\n'));
  await shows('hello');
  expect(await page.evaluate(() => sandbox.channel.acks)).toEqual([7]);
});

test('joins a character that was cut between two pieces, and survives what is no UTF-8', async () => {
  await open();
  await page.evaluate(() => {
    const bytes = new TextEncoder().encode('a→b🙂c');
    for (const byte of bytes) sandbox.channel.print(Uint8Array.of(byte));
    sandbox.channel.print(Uint8Array.of(0xff, 0xfe, 0x64));
  });
  await shows('a→b🙂c');
  await shows('d');
});

test('never has more than its bound waiting for the parser', async () => {
  await open();
  const { most, total } = await page.evaluate(async () => {
    const { channel } = sandbox;
    const piece = new Uint8Array(16 * 1024).fill(0x61);
    const total = 400 * piece.length;
    let most = 0;
    const ack = channel.ack.bind(channel);
    channel.ack = (offset) => {
      most = Math.max(most, channel.taken - offset);
      ack(offset);
    };
    for (let i = 0; i < 400; i += 1) channel.print(piece);
    while (channel.acks.at(-1) !== total) await new Promise((resolve) => setTimeout(resolve, 5));
    return { most, total };
  });
  expect(total).toBe(6_553_600);
  expect(most).toBeLessThanOrEqual(128 * 1024 + 16 * 1024);
});

test('sends what is typed, as UTF-8', async () => {
  await open();
  await page.evaluate(() => terminal.focus());
  await page.keyboard.type('ls é');
  await page.keyboard.press('Enter');
  await expect.poll(sentText).toBe('ls é\r');
});

test('sends binary reports byte for byte', async () => {
  await open();
  await page.setViewportSize({ width: 1400, height: 700 });
  await page.evaluate(() => {
    document.querySelector<HTMLElement>('#terminal')!.style.width = '1300px';
    // The oldest mouse protocol says a column as one byte, 32 above it: no UTF-8 from column 96 on.
    sandbox.channel.print('\x1b[?1000h');
  });
  await expect.poll(() => page.evaluate(() => sandbox.channel.resizes.length)).toBe(1);
  await page.mouse.click(1200, 100);
  await expect.poll(sent).toHaveLength(12);
  const [esc, bracket, m, button, column] = await sent();
  expect([esc, bracket, m, button]).toEqual([0x1b, 0x5b, 0x4d, 32]);
  expect(column).toBeGreaterThan(127);
});

test('answers a program that asks now, and not one that asked in what is replayed', async () => {
  await open();
  const questions = '\x1b[6n\x1b[c\x1b[>c\x1b[?1004h\x1b[?2026$p\x1b]11;?\x07\x1bP$qm\x1b\\';
  await page.evaluate((data) => {
    sandbox.channel.replayUntil = data.length + 2;
    sandbox.channel.print(data);
    sandbox.channel.print('ok');
  }, questions);
  await shows('ok');
  expect(await sentText()).toBe('');
  await page.evaluate(() => sandbox.channel.print('\x1b[6n'));
  await expect.poll(sentText).toMatch(/^\x1b\[\d+;\d+R$/);
});

test('sends what is typed during a replay', async () => {
  await open();
  await page.evaluate(() => {
    sandbox.channel.replayUntil = 10;
    sandbox.channel.print('0123456789');
    terminal.terminal.input('x');
  });
  await shows('0123456789');
  expect(await sentText()).toBe('x');
});

test('a gap resets the screen and says what is missing', async () => {
  await open();
  await page.evaluate(() => {
    sandbox.channel.print('before\r\n');
    sandbox.channel.gap(12_345);
    sandbox.channel.print('after');
  });
  await shows('after');
  expect(await screen()).toMatch(/^ ?12,345 bytes of earlier output are missing here\. *\nafter$/);
});

test('tells the shell of a new size, once for many changes in a frame', async () => {
  await open();
  await page.evaluate(() => {
    const element = document.querySelector<HTMLElement>('#terminal')!;
    for (const width of [300, 400, 500]) element.style.width = `${width}px`;
  });
  await expect.poll(() => page.evaluate(() => sandbox.channel.resizes.length)).toBe(1);
  const [resize] = await page.evaluate(() => sandbox.channel.resizes);
  expect(resize).toEqual(
    await page.evaluate(() => ({ cols: terminal.terminal.cols, rows: terminal.terminal.rows })),
  );
});

test('says that it reconnects, without touching the screen, and tries at once when asked', async () => {
  await open();
  await page.evaluate(() => {
    sandbox.channel.print('kept');
    sandbox.channel.setStatus({ state: 'reconnecting', attempt: 1 });
  });
  await shows('kept');
  await page.getByRole('status').getByText('Connection lost. Reconnecting…').waitFor();
  await page.getByRole('button', { name: 'Try now' }).click();
  expect(await page.evaluate(() => sandbox.channel.reconnects)).toBe(1);
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  expect(await page.evaluate(() => sandbox.channel.reconnects)).toBe(2);
  await page.evaluate(() => sandbox.channel.setStatus({ state: 'open' }));
  await page.getByText('Connection lost').waitFor({ state: 'detached' });
  expect(await screen()).toBe('kept');
});

test('says that the sandbox is paused while it waits for the resume', async () => {
  await open();
  await page.evaluate(() => {
    const error = Object.assign(new Error('paused'), { code: 'sandbox_paused' });
    sandbox.channel.setStatus({ state: 'reconnecting', attempt: 1, error });
  });
  await page.getByRole('status').getByText('This sandbox is paused.').waitFor();
  await page.evaluate(() => sandbox.channel.setStatus({ state: 'open' }));
  await page.getByText('This sandbox is paused.').waitFor({ state: 'detached' });
});

test('a terminal taken over by another tab can be taken back', async () => {
  await open();
  await page.evaluate(() => sandbox.channel.fail(Object.assign(new Error('replaced'), { code: 'replaced' })));
  await page.getByText('This terminal was opened in another tab.').waitFor();
  await page.getByRole('button', { name: 'Use it here' }).click();
  await expect.poll(() => page.evaluate(() => sandbox.channels.length)).toBe(2);
  await page.evaluate(() => sandbox.channel.print('back'));
  await shows('back');
  const asked = await page.evaluate(() => sandbox.asked.at(-1));
  expect(asked).toMatchObject({ connect: 100 });
});

test('a window that another one took over from watches, and takes over again', async () => {
  await open();
  await page.evaluate(() => sandbox.channel.sharing.set('read'));
  await page.getByRole('status').getByText('Another window is typing here.').waitFor();
  expect(await page.evaluate(() => terminal.status)).toMatchObject({ state: 'open', mode: 'read' });
  await page.evaluate(() => {
    terminal.terminal.input('rm x');
    // A question of a program, which the writer's window answers.
    sandbox.channel.print('seen\x1b[6n');
  });
  await shows('seen');
  expect(await sentText()).toBe('');
  await page.getByRole('button', { name: 'Take over' }).press('Enter');
  await page.getByText('Another window is typing here.').waitFor({ state: 'detached' });
  expect(await page.evaluate(() => sandbox.channel.sharing.takeovers)).toBe(1);
  // The keyboard is the terminal's again.
  await page.keyboard.type('ls');
  expect(await sentText()).toBe('ls');
});

test('a window that watches has the size of the one that writes, each output in its own', async () => {
  await open();
  const size = () => page.evaluate(() => [terminal.terminal.cols, terminal.terminal.rows]);
  const own = await size();
  await page.evaluate(() => sandbox.channel.size(100, 30));
  await page.evaluate(() => sandbox.channel.print('mine\r\n'));
  await shows('mine');
  expect(await size()).toEqual(own);
  await page.evaluate(() => {
    sandbox.channel.sharing.set('read');
    const { channel } = sandbox;
    channel.size(30, 10);
    channel.print('x'.repeat(31));
    channel.size(120, 50);
    channel.print('\r\ndone');
  });
  await shows('done');
  expect(await size()).toEqual([120, 50]);
  const wrapped = () =>
    page.evaluate(() => {
      const { active } = terminal.terminal.buffer;
      return Array.from({ length: active.length }, (_, row) => active.getLine(row)!.isWrapped);
    });
  // 31 characters were more than a line of the size that they came in; the line of the cursor is not put together again.
  expect(await wrapped()).toContain(true);
  await page.evaluate(() => {
    document.querySelector<HTMLElement>('#terminal')!.style.width = '500px';
  });
  // As many frames as an element's change of size takes to be heard of.
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
  expect(await size()).toEqual([120, 50]);
  expect(await page.evaluate(() => sandbox.channel.resizes)).toEqual([]);
  await page.evaluate(() => sandbox.channel.sharing.set('write'));
  const [cols = 0] = await size();
  expect(cols).toBeLessThan(own[0]!);
  expect(await page.evaluate(() => sandbox.channel.resizes.at(-1)?.cols)).toBe(cols);
});

test('one who may only watch is told so, and offered nothing', async () => {
  await open();
  await page.evaluate(() => sandbox.channel.sharing.set('read', false));
  await page.getByRole('status').getByText('You can watch this terminal, but not type.').waitFor();
  expect(await page.getByRole('button').count()).toBe(0);
});

test('an exit is told after the last output, and a new shell is offered', async () => {
  await open({ restart: true });
  await page.evaluate(() => {
    sandbox.channel.print('bye');
    sandbox.channel.exit(3);
  });
  await page.getByText('The shell ended (exit status 3).').waitFor();
  expect(await screen()).toBe('bye');
  await page.getByRole('button', { name: 'Start a new shell' }).click();
  await expect.poll(() => page.evaluate(() => terminal.status.state)).toBe('open');
  expect(await page.evaluate(() => sandbox.channels.length)).toBe(2);
});

test('input that was not sent is offered, and sent only when the user says so', async () => {
  await open();
  await page.evaluate(() => {
    sandbox.channel.sendError = Object.assign(new Error('old'), { code: 'input_not_executed' });
    terminal.terminal.input('rm x');
    terminal.terminal.input('\r');
  });
  await page.getByRole('alert').getByText('What you typed was not sent.').waitFor();
  await page.evaluate(() => {
    sandbox.channel.sendError = undefined;
  });
  expect(await sentText()).toBe('');
  await page.getByRole('button', { name: 'Send it now' }).click();
  expect(await sentText()).toBe('rm x\r');
  await page.getByText('What you typed was not sent.').waitFor({ state: 'detached' });
});

test('input with an uncertain end is told, and never sent again', async () => {
  await open();
  await page.evaluate(() => {
    sandbox.channel.sendError = Object.assign(new Error('died'), { code: 'input_uncertain' });
    terminal.terminal.input('rm x\r');
  });
  await page.getByText('Check whether your last input arrived.').waitFor();
  expect(await page.getByRole('button', { name: 'Send it now' }).count()).toBe(0);
});

test('Shift+F6 leads out of the terminal, where Tab belongs to the shell', async () => {
  await open();
  await page.evaluate(() => {
    const after = document.createElement('button');
    after.textContent = 'after';
    document.body.append(after);
    terminal.focus();
  });
  await page.keyboard.press('Tab');
  expect(await sentText()).toBe('\t');
  await page.keyboard.press('Shift+F6');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('after');
  expect(await sentText()).toBe('\t');
});

test('Ctrl-Shift-C copies what is selected, and is no input', async () => {
  await open();
  await page.evaluate(async () => {
    document.addEventListener('copy', (event) => {
      document.title = event.clipboardData!.getData('text/plain');
    });
    await new Promise<void>((resolve) => terminal.terminal.write('to be copied', resolve));
    terminal.terminal.selectAll();
    terminal.focus();
  });
  await page.keyboard.press('Control+Shift+C');
  await expect.poll(() => page.title()).toBe('to be copied');
  expect(await sentText()).toBe('');
});

test('its colours follow the preference for light or dark', async () => {
  await page.emulateMedia({ colorScheme: 'light' });
  await open();
  const background = () => page.evaluate(() => terminal.terminal.options.theme?.background);
  const light = await background();
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(background).not.toBe(light);
});

test('refuses an element outside the document, and leaves nothing behind when a shell cannot be had', async () => {
  const codes = await page.evaluate(async () => {
    globalThis.sandbox = new harness.ScriptedSandbox();
    const caught = (error: unknown) => (error as { code?: string }).code;
    const outside = await harness.openTerminal(sandbox as never, document.createElement('div')).catch(caught);
    sandbox.openError = Object.assign(new Error('gone'), { code: 'sandbox_not_found' });
    const element = document.querySelector<HTMLElement>('#terminal')!;
    const gone = await harness.openTerminal(sandbox as never, element).catch(caught);
    return { outside, gone, left: element.childElementCount };
  });
  expect(codes).toEqual({ outside: 'element_missing', gone: 'sandbox_not_found', left: 0 });
});

test('a signal gives up the opening, and leaves nothing behind', async () => {
  const result = await page.evaluate(async () => {
    const box = new harness.ScriptedSandbox();
    const giveUp = new AbortController();
    const element = document.querySelector<HTMLElement>('#terminal')!;
    box.pty.create = (given) => {
      const { signal } = given as { signal: AbortSignal };
      setTimeout(() => giveUp.abort(new Error('no more')));
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const opening = harness.openTerminal(box as never, element, { signal: giveUp.signal });
    const outcome = await opening.catch((error: Error) => error.message);
    return { outcome, left: element.childElementCount };
  });
  expect(result).toEqual({ outcome: 'no more', left: 0 });
});

test('dispose leaves no element and no listener, and lets go of the shell', async () => {
  const left = await page.evaluate(async () => {
    const live = new Map<string, number>();
    const count = (name: string, by: number) => live.set(name, (live.get(name) ?? 0) + by);
    for (const [name, target] of [
      ['window', window],
      ['document', document],
    ] as const) {
      const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
      target.addEventListener = (type: string, ...rest: unknown[]) => {
        count(`${name} ${type}`, 1);
        Reflect.apply(add, target, [type, ...rest]);
      };
      target.removeEventListener = (type: string, ...rest: unknown[]) => {
        count(`${name} ${type}`, -1);
        Reflect.apply(remove, target, [type, ...rest]);
      };
    }
    const box = new harness.ScriptedSandbox();
    const element = document.querySelector<HTMLElement>('#terminal')!;
    const opened = await harness.openTerminal(box as never, element);
    opened.dispose();
    opened.dispose();
    return {
      elements: element.childElementCount,
      own: ['window online', 'document visibilitychange'].map((name) => live.get(name)),
      status: box.channel.listeners.size + box.channel.sharing.listeners.size,
      closed: box.channel.closed,
    };
  });
  expect(left).toEqual({ elements: 0, own: [0, 0], status: 0, closed: true });
});

test('<sandbox-terminal> opens with its property, tells its events, and comes back when it is moved', async () => {
  await page.evaluate(() => {
    const element = document.createElement('sandbox-terminal');
    const events: unknown[] = [];
    for (const type of ['status', 'exit', 'error'] as const) {
      element.addEventListener(type, (event) => events.push([type, (event as CustomEvent).detail]));
    }
    globalThis.sandbox = new harness.ScriptedSandbox();
    element.setAttribute('font-size', '20');
    element.sandbox = sandbox as never;
    document.body.append(element);
    Object.assign(globalThis, { element, events });
  });
  const state = () =>
    page.evaluate(
      () => (globalThis as never as { element: { view?: { status: unknown } } }).element.view?.status,
    );
  await expect.poll(state).toEqual({ state: 'open', pid: 100, mode: 'write', mayWrite: true });
  await page.evaluate(() => {
    const { element } = globalThis as never as { element: HTMLElement };
    document.querySelector('#terminal')!.append(element);
  });
  await expect.poll(() => page.evaluate(() => sandbox.asked.length)).toBe(2);
  expect(await page.evaluate(() => sandbox.asked[1])).toMatchObject({ connect: 100 });
  await page.evaluate(() => sandbox.channel.exit(0));
  const exits = () =>
    page.evaluate(() =>
      (globalThis as never as { events: [string, unknown][] }).events.filter(([type]) => type === 'exit'),
    );
  await expect.poll(exits).toEqual([['exit', { exitCode: 0, status: 'exit status 0' }]]);
});
