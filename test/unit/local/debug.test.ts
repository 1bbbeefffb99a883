import { Sandbox } from 'e2b';
import { beforeAll, describe, expect, test } from 'vitest';
import { Sandbox as OwnSandbox } from '../../../src/control/sandbox.js';
import type { LocalServer } from '../../../src/local/local-server.js';
import { launchChromium } from '../../page/support/browser.js';
import { ask } from './support/raw-http.js';
import { api, startServer } from './support/server.js';
import { until } from './support/until.js';

const listed = 'http://localhost:5173';
const envdPort = 49983;
let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ debug: true, origins: [listed] });
});

describe('the debug mode of the official SDK', () => {
  test('has one sandbox, whatever its id, without a token', async () => {
    const sandbox = await Sandbox.create({ debug: true, apiKey: 'e2b_0' });
    expect(await sandbox.isRunning()).toBe(true);
    await sandbox.files.write('kept.txt', 'one and the same');
    const again = await Sandbox.connect('whatever', { debug: true, apiKey: 'e2b_0' });
    expect(await again.files.read('kept.txt')).toBe('one and the same');
    const { stdout } = await again.commands.run('echo $E2B_SANDBOX $E2B_SANDBOX_ID');
    expect(stdout).toBe('true debug_sandbox_id\n');
  });

  test('is no business of the control plane', async () => {
    expect(await (await api(server, 'GET', '/v2/sandboxes')).json()).toEqual([]);
  });

  test('gets another sandbox when its own has ended', async () => {
    const sandbox = await Sandbox.create({ debug: true, apiKey: 'e2b_0' });
    await sandbox.files.write('gone.txt', 'x');
    await sandbox.commands.run('[ $PPID -gt 1 ] && kill -9 $PPID', { user: 'root' }).catch(() => {});
    await until('another is there', async () => !(await sandbox.files.exists('gone.txt').catch(() => true)));
  });
});

describe('the debug mode of this package', () => {
  test('goes to the same sandbox, with no key and no control plane', async () => {
    const sandbox = await OwnSandbox.create({ debug: true });
    expect(sandbox.sandboxId).toBe('debug_sandbox_id');
    expect(await sandbox.isRunning()).toBe(true);
    await sandbox.files.write('own.txt', 'one and the same');
    const again = await OwnSandbox.connect('whatever', { debug: true });
    expect(await (await again.connect()).files.read('own.txt')).toBe('one and the same');
    expect(await (await fetch(await again.downloadUrl('own.txt'))).text()).toBe('one and the same');
    expect(again.getHost(3000)).toBe('localhost:3000');
    await again.setTimeout(0);
    expect(await again.getMetrics()).toEqual([]);
    expect([await again.kill(), await OwnSandbox.kill('whatever', { debug: true })]).toEqual([true, true]);
    expect(await again.isRunning()).toBe(true);
  });
});

describe('no web page uses it', () => {
  const health = (headers: Record<string, string>, method = 'GET') =>
    ask(envdPort, { path: '/files?path=.bashrc', method, headers: { host: 'localhost:49983', ...headers } });

  test('unless it is listed', async () => {
    expect((await health({})).status).toBe(200);
    const page = await health({ origin: listed, 'sec-fetch-site': 'cross-site' });
    expect(page.status).toBe(200);
    expect(page.headers['access-control-allow-origin']).toBe('*');
  });

  test.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('%j: 403', async (headers) => {
    const answer = await health(headers);
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    const preflight = await health({ ...headers, 'access-control-request-method': 'POST' }, 'OPTIONS');
    expect(preflight.status).toBe(403);
  });

  test.each(['evil.example', 'evil.example:49983', 'localhost:80', '49983-i0.localhost:49983'])(
    'by the name %s: 421',
    async (host) => {
      expect((await health({ host })).status).toBe(421);
    },
  );

  test('and nobody asks what is the platform’s', async () => {
    const answer = await ask(
      envdPort,
      { path: '/init', method: 'POST', headers: { host: 'localhost:49983' } },
      '{}',
    );
    expect(answer.status).toBe(404);
  });
});

test('a page of another site reads nothing of it in a browser, and changes nothing', async () => {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.port}/health`);
    const results = await page.evaluate(() => {
      const ask = (init?: RequestInit) =>
        fetch('http://localhost:49983/files?path=by-a-page.txt', init).then(
          ({ type }) => type,
          () => 'refused',
        );
      return Promise.all([
        ask({ method: 'POST', body: 'x', mode: 'no-cors', headers: { 'content-type': 'text/plain' } }),
        ask(),
      ]);
    });
    expect(results).toEqual(['opaque', 'refused']);
    const sandbox = await Sandbox.create({ debug: true, apiKey: 'e2b_0' });
    expect(await sandbox.files.exists('by-a-page.txt')).toBe(false);
  } finally {
    await browser.close();
  }
});
