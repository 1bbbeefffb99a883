import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createNodeBroker, type NodeBroker } from 'e2b-edge/broker/node';
import type { LocalServer } from 'e2b-edge/local';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../page/support/browser.js';
import type { Outcome, Runner } from './places.js';

declare global {
  /** How the example's module ended: null without an error, else the error's name and what it says. */
  var exampleEnded: Promise<null | { name: string; message: string }>;
}

const html = `<!doctype html><title>Example</title><link rel="stylesheet" href="/xterm.css"><div id="terminal" style="width: 640px; height: 400px"></div>
<script>
  globalThis.exampleEnded = import('/example.js').then(() => null, ({ name, message }) => ({ name, message }));
</script>`;

/** Runs each example in a page of its own, whose server has a broker at `/api/sandbox`. */
export async function createPageRunner(local: LocalServer): Promise<Runner> {
  const { url, close } = await startSite(local);
  const browser = await launchChromium();
  return {
    run: (code) => runInPage(browser, url, code),
    close: async () => {
      await browser.close();
      await close();
    },
  };
}

async function runInPage(browser: Browser, url: string, code: string): Promise<Outcome> {
  const page = await browser.newPage();
  const output: string[] = [];
  page.on('console', (message) => output.push(message.text()));
  page.on('pageerror', (error) => output.push(`uncaught: ${error.message}`));
  try {
    await page.route(`${url}/example.js`, (route) =>
      route.fulfill({ contentType: 'text/javascript', body: code }),
    );
    await page.goto(`${url}/`);
    return outcomeOf(await ended(page), output);
  } finally {
    await page.close();
  }
}

function ended(page: Page): Promise<null | { name: string; message: string }> {
  return page.evaluate(() => globalThis.exampleEnded);
}

function outcomeOf(failure: null | { name: string; message: string }, output: string[]): Outcome {
  const uncaught = output.find((line) => line.startsWith('uncaught: '));
  const error = failure?.name ?? uncaught;
  return {
    output: [...output, failure?.message ?? ''].join('\n'),
    ...(error !== undefined && { error }),
  };
}

async function startSite({ apiKey, apiUrl, sandboxUrl }: LocalServer) {
  const css = readFileSync(createRequire(import.meta.url).resolve('@xterm/xterm/css/xterm.css'));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const broker: NodeBroker = createNodeBroker({
    apiKey,
    apiUrl,
    sandboxUrl,
    basePath: '/api/sandbox',
    origins: [url],
    limits: { mintsPerMinute: 1000 },
    signingKeys: { current: randomBytes(32).toString('base64url') },
    authorize: () => ({
      subject: 'reader',
      invite: { pty: 'read' },
      sandbox: { template: 'base' },
      grants: {
        files: [
          { op: 'read', prefix: '/' },
          { op: 'write', prefix: '/' },
        ],
        commands: 'run',
        pty: 'write',
        lifecycle: ['info', 'extend', 'pause', 'kill'],
      },
    }),
  });
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/api/sandbox/')) broker.handleRequest(request, response);
    else if (request.url === '/xterm.css') response.writeHead(200, { 'content-type': 'text/css' }).end(css);
    else response.writeHead(200, { 'content-type': 'text/html' }).end(html);
  });
  server.on('upgrade', broker.handleUpgrade);
  const close = (): Promise<void> => {
    broker.close();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { url, close };
}
