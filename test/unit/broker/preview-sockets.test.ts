import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BrokerCore, createBrokerCore } from '../../../src/broker/broker-core.js';
import type { BrokerEvent } from '../../../src/broker/broker-event.js';
import { type PreviewSocket, upgradeRefused } from '../../../src/broker/previews/preview-socket.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import type { Session } from '../../../src/wire/session.js';
import { type FakeE2B, startFakeE2B } from './support/fake-e2b.js';
import { bearer, origin, refusal, secret } from './support/harness.js';

let fake: FakeE2B;
let core: BrokerCore<undefined>;
let session: Session;
let events: BrokerEvent[];
/** Whom the host was told to join. */
let accepted: PreviewSocket[];
let url: string;
let cookie: string;

beforeEach(async () => {
  fake = await startFakeE2B();
  events = [];
  accepted = [];
  core = createBrokerCore<undefined>({
    apiKey: fake.apiKey,
    apiUrl: fake.url,
    sandboxUrl: fake.url,
    signingKeys: { current: secret },
    origins: [origin],
    store: createMemoryStore(),
    limits: { sockets: 1 },
    previews: { origin: 'https://{port}-{sandboxId}.preview.example' },
    logger: (event) => events.push(event),
    authorize: () => ({
      subject: 'ann',
      sandbox: { template: 'base', timeoutMs: 20_000 },
      grants: { ports: [3000] },
    }),
  });
  const headers = { 'content-type': 'application/json' };
  const minted = await core.handle(new Request('https://any.test/sessions', { method: 'POST', headers }));
  session = (await minted.json()) as Session;
  url = `https://3000-${session.sandboxId}.preview.example/`;
  const entering = { method: 'POST', headers: bearer(session) };
  const entered = await core.handle(new Request(`${url}.well-known/e2b-preview`, entering));
  cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
});
afterEach(() => fake.close());

const join = async (
  headers: Record<string, string>,
  preview: (socket: PreviewSocket) => unknown = (socket) => {
    accepted.push(socket);
    return 'joined';
  },
  path = 'socket?x=1',
) =>
  core.upgrade<unknown>(
    new Request(url + path, {
      headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': 'x', ...headers },
    }),
    {},
    { terminal: () => 'a terminal', preview },
  );
const own = () => ({ cookie, origin: new URL(url).origin });
const bearing = () => `e2b-edge.bearer.${session.token}`;
const refused = async (answer: unknown) => refusal(answer as Response);

describe("a preview's WebSocket", () => {
  test('is opened by the host, as the app is to see it', async () => {
    const protocols = 'app.v1,  app.v2,';
    expect(await join({ ...own(), 'x-own': '1', 'sec-websocket-protocol': protocols })).toBe('joined');
    expect(accepted[0]).toMatchObject({ port: 3000, url: `${fake.url}/socket?x=1` });
    expect(accepted[0]?.protocols).toEqual(['app.v1', 'app.v2']);
    expect(accepted[0]?.headers).toEqual({
      'accept-encoding': 'identity',
      origin: fake.url,
      'x-own': '1',
      'e2b-sandbox-id': session.sandboxId,
      'e2b-sandbox-port': '3000',
    });
    expect(events.at(-1)).toMatchObject({
      action: 'preview',
      outcome: 'allowed',
      status: 101,
      port: 3000,
      sandboxId: session.sandboxId,
      sessionId: session.sessionId,
    });
  });

  test('is opened by a session’s token among its protocols, which the app does not see', async () => {
    await join({ 'sec-websocket-protocol': `app.v1, ${bearing()}, app.v2`, origin });
    expect(accepted[0]?.protocols).toEqual(['app.v1', 'app.v2']);
    expect(JSON.stringify(accepted[0])).not.toContain(session.token);
    accepted[0]?.leave();
    await join({ 'sec-websocket-protocol': bearing() });
    expect(accepted[1]?.protocols).toEqual([]);
    accepted[1]?.leave();
    // Whoever comes with the broker's token has none of the app's.
    await join({ 'sec-websocket-protocol': bearing(), authorization: 'Basic YTpi' });
    expect(accepted[2]?.headers).not.toHaveProperty('authorization');
    accepted[2]?.leave();
    // A token of its own is the app's business, whatever let the browser in.
    await join({ ...own(), authorization: 'Bearer mine' });
    expect(accepted[3]?.headers.authorization).toBe('Bearer mine');
    expect(accepted[3]?.protocols).toEqual([]);
  });

  test.each<[string, () => Record<string, string>, number, string]>([
    ['nobody who was let in', () => ({}), 401, 'unauthenticated'],
    ['another site', () => ({ cookie, origin: 'https://evil.example' }), 403, 'origin_not_allowed'],
    ['a page that does not say where it is', () => ({ cookie }), 403, 'origin_not_allowed'],
    [
      'a token on a page of another site',
      () => ({ 'sec-websocket-protocol': bearing(), origin: 'https://evil.example' }),
      403,
      'origin_not_allowed',
    ],
    [
      'a token with something before it',
      () => ({ 'sec-websocket-protocol': `x${bearing()}` }),
      401,
      'unauthenticated',
    ],
  ])('is not opened for %s', async (_who, headers, status, code) => {
    fake.control.length = 0;
    const answer = (await join(headers())) as Response;
    expect(answer.headers.get('content-security-policy')).toContain('frame-ancestors');
    expect(await refused(answer)).toEqual({ status, code });
    expect(accepted).toEqual([]);
    expect(fake.control).toEqual([]);
    expect(events.at(-1)).toMatchObject({ action: 'preview', outcome: 'refused', status, code, port: 3000 });
  });

  test('is counted from its beginning until it is closed', async () => {
    await join(own());
    expect(await refused(await join(own()))).toEqual({ status: 429, code: 'too_many_sockets' });
    accepted[0]?.leave();
    expect(await join(own())).toBe('joined');
  });

  test('that the app does not take is refused, and not counted', async () => {
    for (let count = 0; count < 2; count++) {
      const answer = await join(own(), () => Promise.reject(upgradeRefused(3000, new Error('HTTP 404'))));
      expect(await refused(answer)).toEqual({ status: 502, code: 'upgrade_refused' });
      expect(events.at(-1)).toMatchObject({ outcome: 'failed', status: 502, code: 'upgrade_refused' });
      expect(String(events.at(-1)?.cause)).toBe('Error: HTTP 404');
    }
  });

  test('ends with its session, and keeps the sandbox meanwhile', async () => {
    await join(own());
    const { life } = accepted[0] as PreviewSocket;
    expect(life.until).toBeGreaterThan(Date.now() + 28_000_000);
    expect(life.keepAlive?.everyMs).toBe(10_000);
    fake.control.length = 0;
    await life.keepAlive?.extend();
    expect(fake.control.map(({ path }) => path)).toEqual([`/sandboxes/${session.sandboxId}/refreshes`]);
    await life.check?.();
    await core.revoke({ sessionId: session.sessionId });
    await expect(life.check?.()).rejects.toMatchObject({ code: 'session_revoked' });
  });
});
