import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { browserCookie, tokenOfCookie } from '../../../src/broker/previews/preview-cookies.js';
import { readPreviewOrigins } from '../../../src/broker/previews/preview-options.js';
import type { PreviewTarget } from '../../../src/broker/previews/preview-target.js';
import { json } from './support/fake-e2b.js';
import { bearer, type Harness, origin, refusal, startHarness } from './support/harness.js';

describe("the previews' origin", () => {
  test.each([
    'https://{port}-{sandboxId}.preview.example',
    'https://{port}-{sandboxId}.preview.example:8443',
    'http://{port}-{sandboxId}.localhost:8787',
  ])('can be %s', (pattern) => {
    const previews = readPreviewOrigins({ origin: pattern }, [origin]);
    const address = new URL(previews?.of('i1', 3000) ?? '');
    expect(previews?.match(address.host)).toEqual({ sandboxId: 'i1', port: '3000' });
    expect(previews?.match(`x${address.host}`)).toBeUndefined();
    expect(previews?.match(`${address.host}.evil.example`)).toBeUndefined();
    expect(previews?.match(address.host.replace('preview.', 'previewx'))?.port).toBe(
      address.host.includes('preview.') ? undefined : '3000',
    );
  });

  test.each([
    ['http://{port}-{sandboxId}.preview.example', 'is without TLS'],
    ['https://{sandboxId}-{port}.preview.example', 'has its parts turned round'],
    ['https://{port}.preview.example', 'lacks the sandbox'],
    ['https://{port}-{sandboxId}', 'lacks the domain'],
    ['https://{port}-{sandboxId}.preview.example/', 'has a path'],
    ['https://{port}-{sandboxId}.app.example', 'is below the application'],
    ['https://{port}-{sandboxId}.preview.app.example', 'is far below the application'],
  ])('cannot be %s, which %s', (pattern) => {
    expect(() => readPreviewOrigins({ origin: pattern }, [origin])).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    );
  });
});

describe('a cookie of an app', () => {
  const at: PreviewTarget = { sandboxId: 'i1', port: 1, root: '/', path: '/', origin: 'https://1-i1.x' };
  const below: PreviewTarget = { sandboxId: 'i1', port: 1, root: '/ports/i1/1/~s/', path: '/' };

  test.each([
    ['a=1', 'a=1; Secure; SameSite=None; Partitioned'],
    ['a=b=c; Path=/x; Max-Age=3', 'a=b=c; Max-Age=3; Path=/x; Secure; SameSite=None; Partitioned'],
    ['a=1; Path=x; domain=x; SECURE', 'a=1; Secure; SameSite=None; Partitioned'],
    ['__Host-e2b-preview=1', undefined],
    ['__host-E2B-preview=1', undefined],
    ['nothing', undefined],
    ['=1', undefined],
  ])('%s becomes %s', (cookie, expected) => {
    expect(browserCookie(cookie, at)).toBe(expected);
  });

  test('cannot pass for ours below the path either', () => {
    const set = browserCookie('__Secure-e2b-preview=1; Path=/', below);
    expect(set).toBe('e2b-preview.__Secure-e2b-preview=1; Path=/ports/i1/1/~s/; Secure; SameSite=None');
    expect(tokenOfCookie(set?.split(';')[0] ?? '', below)).toBeUndefined();
  });
});

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
