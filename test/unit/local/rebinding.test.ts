import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { launchChromium } from '../../page/support/browser.js';
import { type Created, createSandbox, startServer } from './support/server.js';
import { portHost, startService } from './support/service.js';

/** A page for its sandbox, which sets every cookie that a page may try to set for its neighbours. */
const site = `
import { createServer } from 'node:http';
createServer((request, response) => {
  if (request.url === '/events') return void response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  response.setHeader('set-cookie', ['wide=1; Domain=localhost', 'wider=1; Domain=.localhost', 'own=1']);
  response.setHeader('content-type', 'text/html');
  response.end('<!doctype html><title>' + (request.headers.cookie ?? 'no cookie') + '</title>');
}).listen(3000, () => console.log('listening'));
`;

let server: LocalServer;
let sandbox: Created;
let other: Created;
let browser: Browser;

beforeAll(async () => {
  server = await startServer({ host: 'localhost' });
  [sandbox, other] = await Promise.all([createSandbox(server), createSandbox(server)]);
  await Promise.all([startService(server, sandbox, site), startService(server, other, site)]);
  // As a name server would answer that its owner has turned round.
  browser = await launchChromium(['--host-resolver-rules=MAP evil.example 127.0.0.1']);
});

afterAll(() => browser?.close());

async function open(url: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(url);
  return page;
}

test('a site whose name was pointed here gets nothing', async () => {
  const page = await (await browser.newContext()).newPage();
  const answer = await page.goto(`http://evil.example:${server.port}/`);
  expect(answer?.status()).toBe(421);
  const statuses = await page.evaluate(
    async ([apiKey, id, token]) => {
      const headers = [
        { 'x-api-key': apiKey! },
        { 'e2b-sandbox-id': id!, 'e2b-sandbox-port': '49983', 'x-access-token': token! },
        { 'e2b-sandbox-id': id!, 'e2b-sandbox-port': '3000' },
      ];
      const answers = headers.map((one) => fetch('/', { headers: one }).then(({ status }) => status));
      return Promise.all(answers);
    },
    [server.apiKey, sandbox.sandboxID, sandbox.envdAccessToken],
  );
  expect(statuses).toEqual([421, 421, 421]);
});

describe('a page of one sandbox', () => {
  test('is found by its name, and sets no cookie for another', async () => {
    const page = await open(`http://${portHost(server, sandbox, 3000)}/`);
    expect(await page.title()).toBe('no cookie');
    await page.reload();
    expect(await page.title()).toBe('own=1');
    await page.goto(`http://${portHost(server, other, 3000)}/`);
    expect(await page.title()).toBe('no cookie');
    await page.goto(`http://${portHost(server, sandbox, 3000)}/`);
    expect(await page.title()).toBe('own=1');
  });

  test('does not use the control plane, also with the key', async () => {
    const page = await open(`http://${portHost(server, sandbox, 3000)}/`);
    const result = await page.evaluate(
      ([api, key]) =>
        fetch(`${api}/v2/sandboxes`, { headers: { 'x-api-key': key! } }).then(
          () => 'answered',
          () => 'refused',
        ),
      [server.apiUrl, server.apiKey],
    );
    expect(result).toBe('refused');
  });

  test('reads an error of the proxy, and envd with its token', async () => {
    const page = await open(`http://${portHost(server, sandbox, 3000)}/`);
    const results = await page.evaluate(
      async ([closed, envd, token]) => {
        const one = await fetch(`http://${closed}/`);
        const two = await fetch(`http://${envd}/envs`, { headers: { 'x-access-token': token! } });
        const three = await fetch(`http://${envd}/envs`);
        return [one.status, (await one.json()).port, two.status, three.status];
      },
      [portHost(server, other, 3999), portHost(server, other, 49983), other.envdAccessToken],
    );
    expect(results).toEqual([502, 3999, 200, 401]);
  });
});

test('a browser that looks at a closed port sees a page', async () => {
  const page = await open(`http://${portHost(server, sandbox, 3999)}/`);
  expect(await page.title()).toBe('502: The sandbox is running but port is not open');
  expect(await page.locator('dd').allTextContents()).toEqual(['502', sandbox.sandboxID, '3999']);
  expect(await page.evaluate(() => getComputedStyle(document.querySelector('main')!).maxWidth)).not.toBe(
    'none',
  );
});

test('streams of one name, of which a browser has six, do not hold up another', async () => {
  const page = await open(`http://${portHost(server, sandbox, 3000)}/`);
  const result = await page.evaluate(
    async ([envd, busy]) => {
      let open = 0;
      for (let i = 0; i < 8; i++) void fetch(`http://${busy}/events`, { mode: 'no-cors' }).then(() => open++);
      while (open < 6) await new Promise((resolve) => setTimeout(resolve, 10));
      return (await fetch(`http://${envd}/health`)).status;
    },
    [portHost(server, sandbox, 49983), portHost(server, other, 3000)],
  );
  expect(result).toBe(204);
});
