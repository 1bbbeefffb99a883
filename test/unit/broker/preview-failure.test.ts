import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Seen } from './support/fake-e2b.js';
import { origin, refusal } from './support/harness.js';
import { led, openPreview, own, type Preview, places } from './support/preview.js';

let preview: Preview;
const sandboxId = () => preview.session.sandboxId;
/** What E2B's proxy says in the place of an app. */
const proxySays = (status: number, body: Record<string, unknown> = {}) =>
  preview.answer(
    status,
    { 'content-type': 'application/json' },
    JSON.stringify({ sandboxId: sandboxId(), message: 'words of the proxy', code: status, ...body }),
  );
const cause = () => String(preview.harness.events.at(-1)?.cause);

describe.each(places)('where no app answers %s', (_place, options) => {
  beforeEach(async () => {
    preview = await openPreview(options);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await preview.harness.close();
  });

  test('programs read that nothing listens, and at which port', async () => {
    proxySays(502, { port: 3000 });
    const response = await preview.ask('/', { ...own, origin });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'access-control-allow-origin': origin,
      'x-request-id': preview.harness.events.at(-1)?.requestId,
    });
    expect(response.headers.get('content-security-policy')).toContain(`frame-ancestors 'self' ${origin}`);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      code: 'port_closed',
      message: expect.stringContaining('3000'),
    });
    expect(preview.harness.events.at(-1)).toMatchObject({ code: 'port_closed', outcome: 'failed' });
    const own2 = await preview.ask('/', own);
    expect(own2.headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each([409, 429, 503])('%i of the way there is a sandbox that is busy', async (status) => {
    proxySays(status);
    expect(await refusal(await preview.ask('/'))).toEqual({ status: 503, code: 'service_busy' });
  });

  test('what is wrong with the way there is for the log alone', async () => {
    proxySays(403);
    const response = await preview.ask('/');
    expect(await response.clone().text()).not.toContain('words of the proxy');
    expect(await refusal(response)).toEqual({ status: 502, code: 'upstream_unavailable' });
    expect(cause()).toBe('Error: HTTP 403: words of the proxy');
  });

  test('a sandbox that is paused, gone or on its way between is told apart', async () => {
    const { fake } = preview.harness;
    const code = async () => (await refusal(await preview.ask('/'))).code;
    const sandbox = fake.sandboxes.get(sandboxId());
    const state = (to: 'running' | 'paused') => Object.assign(sandbox ?? {}, { state: to });
    proxySays(502);
    expect(await code()).toBe('service_busy');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
    state('paused');
    expect(await code()).toBe('sandbox_paused');
    vi.setSystemTime(Date.now() + 10_000);
    fake.sandboxes.delete(sandboxId());
    expect(await code()).toBe('sandbox_not_found');
  });

  test('the way there is found anew the next time', async () => {
    const { fake } = preview.harness;
    const asked = () => fake.control.filter(({ method }) => method === 'GET').map(({ path }) => path);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
    fake.control.length = 0;
    proxySays(502, { port: 3000 });
    await preview.ask('/');
    expect(asked()).toEqual([]);
    preview.answer(200, {});
    await preview.ask('/');
    expect(asked()).toEqual([`/sandboxes/${sandboxId()}`]);
    await preview.ask('/');
    expect(asked()).toHaveLength(1);
  });

  test.each<[string, number, string, (id: string) => string]>([
    ['is of another sandbox', 502, 'application/json', () => '{"sandboxId":"i999","message":"x"}'],
    ['has no message', 502, 'application/json', (id) => `{"sandboxId":"${id}"}`],
    ['is not JSON', 502, 'application/json', () => '{'],
    ['is nothing', 503, 'application/json', () => 'null'],
    ['is long', 502, 'application/json', (id) => `{"sandboxId":"${id}","message":"${'x'.repeat(4096)}"}`],
    ['goes on', 502, 'application/json', () => `{"message":"${'x'.repeat(300_000)}"}`],
    ['has a status of none of its', 500, 'application/json', (id) => `{"sandboxId":"${id}","message":"x"}`],
    ['is another text', 502, 'text/plain', (id) => `{"sandboxId":"${id}","message":"x"}`],
    ['is a page of a status of none of its pages', 503, 'text/html', () => '<p>'],
    ['has no type', 502, '', (id) => `{"sandboxId":"${id}","message":"x"}`],
  ])('an answer that %s is the app’s own', async (_what, status, type, bodyOf) => {
    const body = bodyOf(sandboxId());
    preview.harness.fake.envd.length = 0;
    preview.answer(status, type ? { 'content-type': type } : {}, body);
    const response = await preview.ask('/');
    expect([response.status, await response.text()]).toEqual([status, body]);
    expect(preview.harness.fake.envd).toHaveLength(1);
    expect(preview.harness.events.at(-2)).toMatchObject({ action: 'preview', outcome: 'allowed', status });
  });

  test('people are shown a page by the proxy, which is asked again as by a program', async () => {
    const asked: Seen[] = [];
    preview.harness.fake.onEnvd = (seen, response) => {
      asked.push(seen);
      const wantsPage = seen.headers.accept === 'text/html';
      response.writeHead(502, {
        'content-type': wantsPage ? 'text/html; charset=utf-8' : 'application/json',
      });
      response.end(
        wantsPage
          ? `<p>${'words of the proxy '.repeat(400)}`
          : JSON.stringify({ sandboxId: sandboxId(), port: 3000, message: '' }),
      );
      return true;
    };
    const headers = { ...led, accept: 'text/html', 'x-own': '1' };
    const response = await preview.ask('/a?b', headers, { method: 'GET' });
    expect(await response.text()).toContain('Nothing answers at port 3000');
    expect(asked.map(({ method, path }) => [method, path])).toEqual([
      ['GET', '/a'],
      ['GET', '/.well-known/e2b-preview'],
    ]);
    expect(preview.sent()).toEqual({
      accept: 'application/json',
      'e2b-sandbox-id': sandboxId(),
      'e2b-sandbox-port': '3000',
    });
  });

  test('what the proxy shows people is let go of once it is known', async () => {
    let closed = 0;
    preview.harness.fake.onEnvd = (seen, response) => {
      const isAskedAgain = seen.headers.accept === 'application/json';
      response.writeHead(502, { 'content-type': isAskedAgain ? 'application/json' : 'text/html' });
      if (isAskedAgain) response.end(JSON.stringify({ sandboxId: sandboxId(), port: 3000, message: '' }));
      else response.once('close', () => closed++).write('<p>');
      return true;
    };
    expect(await refusal(await preview.ask('/'))).toEqual({ status: 502, code: 'port_closed' });
    await expect.poll(() => closed).toBe(1);
  });

  test('an answer that says that it is long is passed on without a copy of it', async () => {
    const clone = vi.spyOn(Response.prototype, 'clone');
    preview.answer(502, { 'content-type': 'application/json', 'content-length': 5000 }, 'x'.repeat(5000));
    expect(await (await preview.ask('/')).text()).toHaveLength(5000);
    expect(clone).not.toHaveBeenCalled();
    preview.answer(502, { 'content-type': 'application/json', 'content-length': 4096 }, 'x'.repeat(4096));
    expect(await (await preview.ask('/')).text()).toHaveLength(4096);
    expect(clone).toHaveBeenCalledOnce();
    clone.mockRestore();
  });

  test('a page of the app’s own is shown as it is', async () => {
    preview.answer(502, { 'content-type': 'text/html' }, '<p>mine');
    const response = await preview.ask('/', led);
    expect([response.status, await response.text()]).toEqual([502, '<p>mine']);
  });
});

describe('a page that is shown where there is none', () => {
  beforeEach(async () => {
    preview = await openPreview();
  });
  afterEach(() => preview.harness.close());

  test('says why, looks again by itself, and does nothing else', async () => {
    proxySays(502, { port: 3000 });
    const response = await preview.ask('/', led);
    expect(response.status).toBe(502);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      refresh: '3',
      'x-request-id': preview.harness.events.at(-1)?.requestId,
    });
    const policies = response.headers.get('content-security-policy');
    expect(policies).toMatch(/^sandbox .*frame-ancestors 'self' https:\/\/app\.example, default-src 'none';/);
    const page = await response.text();
    expect(page).toContain('<h1>No preview</h1>');
    expect(page).toContain('<title>No preview</title>');
    expect(page).toContain(
      '<p>Nothing answers at port 3000 of the sandbox: start a service there that speaks HTTP.</p>',
    );
    expect(page).toContain(`<small>port_closed · ${response.headers.get('x-request-id')}</small>`);
  });

  test('sends people back to where they came from when they are not let in any more', async () => {
    const response = await preview.harness.send(preview.url, { headers: led });
    expect(response.status).toBe(401);
    expect(response.headers.get('refresh')).toBeNull();
    const page = await response.text();
    expect(page).toContain('<h1>This preview is not open</h1>');
    expect(page).toContain('<p>Open it again from the page that it belongs to.</p>');
    expect(page).toContain('<small>unauthenticated · ');
  });

  test('has nothing in it that could be taken for markup', async () => {
    const { previewErrorPage } = await import('../../../src/broker/previews/preview-page.js');
    const { httpRefusal } = await import('../../../src/broker/refusals.js');
    const error = httpRefusal(403, 'a<b', 'one & <two> & <three>');
    const page = await previewErrorPage(error, 'id', new Headers()).text();
    expect(page).toContain('<p>one &#38; &#60;two&#62; &#38; &#60;three&#62;</p><small>a&#60;b · id</small>');
  });
});
