import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { pageOrigin } from '../broker/host/setup.js';
import { launchChromium } from '../page/support/browser.js';
import { bundle } from '../runtimes/bundle.js';
import type {} from './storm/chromium-entry.js';
import { defineStorm } from './storm/define-storm.js';

let browser: Browser;
let page: Page;

beforeAll(async () => {
  // The page is not of this machine, and the proxy is.
  browser = await launchChromium([
    '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets',
  ]);
  page = await browser.newPage();
  const script = await bundle('../faults/storm/chromium-entry.ts', ['browser']);
  await page.route(`${pageOrigin}/**`, (route) =>
    route.request().url().endsWith('.js')
      ? route.fulfill({ contentType: 'text/javascript', body: script })
      : route.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="/page.js"></script>' }),
  );
  await page.goto(pageOrigin);
  await page.waitForFunction(() => 'playCourse' in globalThis);
});

afterAll(async () => {
  await browser?.close();
});

defineStorm({
  runtime: 'node',
  player: 'chromium',
  play: (course) => page.evaluate((one) => globalThis.playCourse(one), course),
});
