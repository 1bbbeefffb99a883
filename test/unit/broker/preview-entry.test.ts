import { decodeJwt } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { bearer, type Harness, origin, refusal, startHarness } from './support/harness.js';
import { enter, places } from './support/preview.js';

let harness: Harness;
afterEach(async () => {
  vi.useRealTimers();
  await harness.close();
});

const tokenOf = (response: Response) => response.headers.get('set-cookie')?.split(/[=;]/)[1] ?? '';

describe.each(places)('whoever enters a preview %s', (_place, options) => {
  const isBelowPath = options.previews === undefined;

  test('is told where it is, and gets the cookie for it', async () => {
    harness = await startHarness(options);
    const session = await harness.session({ ports: [3000] });
    const entered = await enter(harness, session);
    expect(entered.status).toBe(200);
    expect(Object.fromEntries(entered.headers)).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      vary: 'Origin',
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'x-request-id': harness.events.at(-1)?.requestId,
    });
    const body = (await entered.json()) as { url: string; expiresAt: number; ttlMs: number };
    const { sandboxId, sessionId } = session;
    const path = `/api/sandbox/ports/${sandboxId}/3000/~${sessionId}/`;
    expect(body).toEqual({
      url: isBelowPath ? path : `https://3000-${sandboxId}.preview.example/`,
      expiresAt: (decodeJwt(tokenOf(entered)).exp as number) * 1000,
      ttlMs: expect.any(Number),
    });
    expect(body.ttlMs).toBeGreaterThan(290_000);
    expect(entered.headers.get('set-cookie')).toContain(
      `; Path=${isBelowPath ? path : '/'}; Max-Age=${Math.floor(body.ttlMs / 1000)}; HttpOnly;`,
    );
    expect(harness.events.at(-1)).toMatchObject({ action: 'preview', outcome: 'allowed', status: 200 });
  });

  test('may see this port there, and nothing else of what the session may', async () => {
    harness = await startHarness(options);
    harness.authorization = {
      subject: 'ann',
      sandbox: { template: 'base', endWithSession: true },
      grants: { ports: [3000, 3001], commands: 'run', lifecycle: ['kill'] },
      invite: { ports: [3000] },
      processesOf: 'bob',
    };
    const session = await harness.mint();
    const claims = decodeJwt(tokenOf(await enter(harness, session)));
    expect(claims).toMatchObject({
      sub: 'ann',
      sid: session.sessionId,
      sbx: session.sandboxId,
      g: { files: [], commands: 'none', pty: 'none', ports: [3000], lifecycle: [] },
    });
    for (const name of ['inv', 'ews', 'own']) expect(claims).not.toHaveProperty(name);
  });

  test('has to come again when the session’s token has run out', async () => {
    harness = await startHarness(options);
    const session = await harness.session({ ports: [3000] });
    const { exp } = decodeJwt(session.token);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 100_000 });
    const entered = await enter(harness, session);
    expect(decodeJwt(tokenOf(entered)).exp).toBe(exp);
    const { ttlMs } = (await entered.json()) as { ttlMs: number };
    expect(ttlMs).toBeLessThanOrEqual(200_000);
    expect(ttlMs).toBeGreaterThan(190_000);
    vi.setSystemTime(Date.now() + 201_000);
    expect(await refusal(await enter(harness, session))).toEqual({ status: 401, code: 'token_expired' });
  });

  test('asks first from the application’s page, which may send its token, and comes with POST', async () => {
    harness = await startHarness(options);
    const session = await harness.session({ ports: [3000] });
    const root = (session.urls.preview ?? '').replace('{port}', '3000');
    const address = `${root.startsWith('/') ? 'https://any.test' : ''}${root}.well-known/e2b-preview`;
    const ask = (method: string, headers: Record<string, string>) =>
      harness.send(address, { method, headers });
    const allowed = await ask('OPTIONS', { origin });
    expect(allowed.status).toBe(204);
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      vary: 'Origin',
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-allow-methods': 'POST',
      'access-control-max-age': '7200',
    });
    const foreign = await ask('OPTIONS', { origin: 'https://evil.example' });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
    expect(await refusal(foreign)).toEqual({ status: 403, code: 'origin_not_allowed' });
    const get = await ask('GET', { origin, ...bearer(session) });
    expect(await refusal(get)).toEqual({ status: 405, code: 'method_not_allowed' });
    // A page of ours reads why.
    expect(get.headers.get('access-control-allow-origin')).toBe(origin);
    expect(get.headers.get('access-control-allow-credentials')).toBe('true');
    expect(harness.fake.envd).toEqual([]);
    // A program is no page.
    const program = await ask('POST', bearer(session));
    expect(program.status).toBe(200);
    expect(program.headers.get('vary')).toBe('Origin');
    expect(program.headers.get('access-control-allow-origin')).toBeNull();
    expect(program.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

test('where the broker is known by another address, that is where its previews are', async () => {
  harness = await startHarness({ publicUrl: 'https://api.example/edge' });
  const session = await harness.session({ ports: [3000] });
  const { sandboxId, sessionId } = session;
  expect(session.urls.preview).toBe(`https://api.example/edge/ports/${sandboxId}/{port}/`);
  const entered = await harness.send(`/ports/${sandboxId}/3000/.well-known/e2b-preview`, {
    method: 'POST',
    headers: { ...bearer(session), origin },
  });
  const path = `/edge/ports/${sandboxId}/3000/~${sessionId}/`;
  expect(await entered.json()).toMatchObject({ url: `https://api.example${path}` });
  expect(entered.headers.get('set-cookie')).toContain(`; Path=${path};`);
});
