import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, inject } from 'vitest';
import { findChromium } from '../../scripts/setup.mjs';
import { bundle } from './bundle.js';
import type {} from './chromium-entry.js';
import { defineSuites } from './define.js';

let browser: Browser;
let page: Page;

beforeAll(async () => {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('Chromium was not found: run node scripts/setup.mjs');
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  page = await browser.newPage();
  const script = await bundle('./chromium-entry.ts', ['browser']);
  const { pageUrl } = inject('stage');
  await page.route(new URL('/suite.js', pageUrl).href, (route) =>
    route.fulfill({ contentType: 'text/javascript', body: script }),
  );
  await page.goto(pageUrl);
  await page.waitForFunction(() => 'runSuiteCase' in globalThis);
});

afterAll(async () => {
  await browser?.close();
});

defineSuites('chromium', (id) =>
  page.evaluate(([env, one]) => globalThis.runSuiteCase(env, one), [inject('stage'), id] as const),
);
