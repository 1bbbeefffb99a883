import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { json } from './support/fake-e2b.js';
import { bearer, type Harness, refusal, startHarness } from './support/harness.js';
import { openPreview, own, type Preview } from './support/preview.js';

describe('a sandbox with private ports', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await startHarness();
  });
  afterEach(() => harness.close());

  test('is asked with its token, which is got again where only info was asked', async () => {
    const { fake } = harness;
    fake.onControl = ({ path, method }, response) => {
      const id = /\/sandboxes\/(\w+)/.exec(path)?.[1];
      if (id === undefined) return false;
      const record = { sandboxID: id, templateID: 'base', envdVersion: '0.6.13', envdAccessToken: 'e' };
      if (path.endsWith('/connect')) json(response, 200, { ...record, trafficAccessToken: 'traffic-secret' });
      else if (method === 'GET')
        json(response, 200, { ...record, state: 'running', network: { allowPublicTraffic: false } });
      else return false;
      return true;
    };
    const session = await harness.session({ ports: [3000] });
    const refreshed = await harness.send('/sessions/refresh', { method: 'POST', headers: bearer(session) });
    expect(refreshed.status).toBe(200);
    const path = `/ports/${session.sandboxId}/3000/x`;
    const response = await harness.send(path, { headers: bearer(session) });
    expect(response.status).toBe(200);
    expect(fake.envd.at(-1)?.headers).toMatchObject({
      'e2b-traffic-access-token': 'traffic-secret',
      'e2b-sandbox-port': '3000',
    });
    expect(fake.envd.at(-1)?.headers).not.toHaveProperty('authorization');
    await harness.send(path, { headers: bearer(session) });
    expect(fake.control.filter((seen) => seen.path.endsWith('/connect'))).toHaveLength(1);
    // What is shown in the place of an app is asked for with it as well.
    fake.onEnvd = (_seen, answer) => {
      answer.writeHead(502, { 'content-type': 'text/html' }).end();
      return true;
    };
    await harness.send(path, { headers: bearer(session) });
    expect(fake.envd.at(-1)).toMatchObject({
      path: '/.well-known/e2b-preview',
      headers: { 'e2b-traffic-access-token': 'traffic-secret', 'e2b-sandbox-port': '3000' },
    });
    expect(fake.envd.at(-1)?.headers).not.toHaveProperty('x-access-token');
  });

  test.each(['running', 'paused'])(
    'is neither woken nor kept by whoever may use a port: %s',
    async (state) => {
      const { fake } = harness;
      fake.onControl = ({ path, method }, response) => {
        const id = /\/sandboxes\/(\w+)/.exec(path)?.[1];
        if (id === undefined || method === 'DELETE') return false;
        const record = { sandboxID: id, templateID: 'base', envdVersion: '0.6.13', envdAccessToken: 'e' };
        const detail = { ...record, state, network: { allowPublicTraffic: false } };
        json(response, 200, path.endsWith('/connect') ? { ...record, trafficAccessToken: 't' } : detail);
        return true;
      };
      const session = await harness.session({ ports: [3000] });
      await harness.send('/sessions/refresh', { method: 'POST', headers: bearer(session) });
      const response = await harness.send(`/ports/${session.sandboxId}/3000/`, { headers: bearer(session) });
      const connects = fake.control.filter(({ path }) => path.endsWith('/connect'));
      if (state === 'paused') {
        expect(await refusal(response)).toEqual({ status: 409, code: 'sandbox_paused' });
        expect(connects).toEqual([]);
      } else {
        expect(response.status).toBe(200);
        expect(connects.map(({ body }) => JSON.parse(String(body)))).toEqual([{ timeout: 1 }]);
      }
    },
  );

  test.each<[string, number, number, string]>([
    ['state', 429, 429, 'rate_limited'],
    ['state', 404, 404, 'sandbox_not_found'],
    ['token', 404, 404, 'sandbox_not_found'],
    ['token', 500, 502, 'upstream_unavailable'],
  ])('whose %s cannot be got (%i) is not asked', async (what, answered, status, code) => {
    const { fake } = harness;
    let isKnown = false;
    fake.onControl = ({ path, method }, response) => {
      const id = /\/sandboxes\/(\w+)/.exec(path)?.[1];
      if (id === undefined) return false;
      const isRefused = isKnown && path.endsWith('/connect') === (what === 'token');
      const record = { sandboxID: id, templateID: 'base', envdVersion: '0.6.13', envdAccessToken: 'e' };
      const detail = { ...record, state: 'running', network: { allowPublicTraffic: false } };
      json(response, isRefused ? answered : 200, isRefused ? { code: answered, message: 'x' } : detail);
      return method !== 'DELETE';
    };
    const session = await harness.session({ ports: [3000] });
    await harness.send('/sessions/refresh', { method: 'POST', headers: bearer(session) });
    isKnown = true;
    fake.envd.length = 0;
    const response = await harness.send(`/ports/${session.sandboxId}/3000/`, { headers: bearer(session) });
    expect(await refusal(response)).toEqual({ status, code });
    expect(fake.envd).toEqual([]);
  });

  test('that refuses its token is a failure, without a word of why', async () => {
    const session = await harness.session({ ports: [3000] });
    harness.fake.onEnvd = (_seen, response) => {
      json(response, 403, { sandboxId: session.sandboxId, message: 'its token is wrong', code: 403 });
      return true;
    };
    const response = await harness.send(`/ports/${session.sandboxId}/3000/`, { headers: bearer(session) });
    expect(await refusal(response)).toEqual({ status: 502, code: 'upstream_unavailable' });
  });
});

test('an answer with a status that there is not is let go of', async () => {
  let closed = 0;
  const app = createServer((_request, response) => {
    response.writeHead(799).write('x');
    response.once('close', () => closed++);
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const { port } = app.address() as { port: number };
  const harness = await startHarness({
    fetch: (url, init) =>
      new Headers(init?.headers).get('e2b-sandbox-port') === '3000'
        ? fetch(`http://127.0.0.1:${port}/`, init)
        : fetch(url, init),
  });
  const session = await harness.session({ ports: [3000] });
  const response = await harness.send(`/ports/${session.sandboxId}/3000/`, { headers: bearer(session) });
  expect(await refusal(response)).toEqual({ status: 502, code: 'upstream_unavailable' });
  await expect.poll(() => closed).toBe(1);
  await harness.close();
  app.close();
});

describe('a request to an app', () => {
  let preview: Preview;
  afterEach(() => preview.harness.close());

  test('has its length where that is small, and is streamed where it is not', async () => {
    preview = await openPreview();
    const sent = async (size: number, announced?: number) => {
      const headers = { ...own, ...(announced !== undefined && { 'content-length': String(announced) }) };
      await preview.ask('/', headers, { method: 'POST', body: 'x'.repeat(size) });
      const { headers: seen, body } = preview.seen();
      expect(body).toHaveLength(size);
      return seen['content-length'] ?? seen['transfer-encoding'];
    };
    expect(await sent(3, 3)).toBe('3');
    expect(await sent(65_536, 65_536)).toBe('65536');
    expect(await sent(65_537, 65_537)).toBe('chunked');
    expect(await sent(3)).toBe('chunked');
    await preview.ask('/', { ...own, 'content-length': '0' }, { method: 'DELETE' });
    expect(preview.seen()).toMatchObject({ method: 'DELETE', body: Buffer.alloc(0) });
  });

  test('is answered with the highest status that there is', async () => {
    preview = await openPreview();
    preview.answer(599, {}, 'x');
    const response = await preview.ask('/');
    expect([response.status, await response.text()]).toEqual([599, 'x']);
  });

  test('that is longer than it says is refused', async () => {
    preview = await openPreview();
    const headers = { ...own, 'content-length': '3' };
    const response = await preview.ask('/', headers, { method: 'POST', body: 'x'.repeat(65_537) });
    expect(await refusal(response)).toEqual({ status: 413, code: 'body_too_large' });
  });

  test('breaks off with the caller, and is nobody’s failure', async () => {
    preview = await openPreview();
    let state = 'asked';
    preview.harness.fake.onEnvd = (_seen, response) => {
      response.once('close', () => {
        state = 'left';
      });
      state = 'reached';
      return true;
    };
    const caller = new AbortController();
    const asked = preview.ask('/', own, { signal: caller.signal });
    await expect.poll(() => state).toBe('reached');
    caller.abort();
    expect(await refusal(await asked)).toEqual({ status: 499, code: 'canceled' });
    expect(preview.harness.events.at(-1)).toMatchObject({ outcome: 'refused', code: 'canceled' });
    await expect.poll(() => state).toBe('left');
  });

  test.each<[string, () => Promise<Response>, string]>([
    ['nothing can be reached', () => Promise.reject(new TypeError('no route')), 'TypeError: no route'],
    [
      'a redirect cannot be read',
      async () => Object.defineProperty(new Response(null), 'type', { value: 'opaqueredirect' }),
      'Error: a redirect that cannot be read',
    ],
  ])('fails where %s', async (_what, answer, cause) => {
    preview = await openPreview({
      fetch: (url, init) =>
        new Headers(init?.headers).has('e2b-sandbox-port') ? answer() : fetch(url, init),
    });
    expect(await refusal(await preview.ask('/'))).toEqual({ status: 502, code: 'upstream_unavailable' });
    expect(String(preview.harness.events.at(-1)?.cause)).toBe(cause);
  });
});
