import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Authorization } from '../../../src/broker/authorization.js';
import { type BrokerCore, createBrokerCore } from '../../../src/broker/broker-core.js';
import type { BrokerEvent } from '../../../src/broker/broker-event.js';
import { judgeUpgrade } from '../../../src/broker/pty-access.js';
import { ptyProtocol } from '../../../src/wire/pty-frame.js';
import type { Grant } from '../../../src/wire/session.js';
import { type FakeE2B, startFakeE2B } from './support/fake-e2b.js';
import { everything, refusal, secret } from './support/harness.js';

describe('an upgrade', () => {
  const judge = (headers: Record<string, string>) =>
    judgeUpgrade(new Request('https://any.test/pty/i1', { headers }), 'i1', ['https://app.example']);
  const protocol = { 'sec-websocket-protocol': ptyProtocol };

  test('is accepted with the protocol, from a page of a listed origin or from no page', () => {
    expect(judge(protocol)).toEqual({ sandboxId: 'i1' });
    expect(judge({ ...protocol, origin: 'https://app.example' })).toEqual({ sandboxId: 'i1' });
    expect(judge({ 'sec-websocket-protocol': `chat , ${ptyProtocol}` })).toEqual({ sandboxId: 'i1' });
  });

  test('from a page of another origin is accepted to be closed, with the reason', () => {
    const close = { code: 4403, reason: 'origin_not_allowed' };
    expect(judge({ ...protocol, origin: 'https://evil.example' })).toEqual({ sandboxId: 'i1', close });
  });

  test.each([{}, { 'sec-websocket-protocol': 'chat' }, { 'sec-websocket-protocol': `${ptyProtocol}x` }])(
    'of %j is refused',
    (headers) => {
      expect(() => judge(headers)).toThrow(
        expect.objectContaining({ code: 'invalid_argument', statusCode: 400 }),
      );
    },
  );
});

let fake: FakeE2B;
let core: BrokerCore<undefined>;
let events: BrokerEvent[];
let authorization: Authorization;

beforeEach(async () => {
  fake = await startFakeE2B();
  events = [];
  core = createBrokerCore<undefined>({
    apiKey: fake.apiKey,
    apiUrl: fake.url,
    sandboxUrl: fake.url,
    signingKeys: { current: secret },
    origins: [],
    limits: { streams: 1, terminals: 1 },
    logger: (event) => events.push(event),
    authorize: () => authorization,
  });
});
afterEach(() => fake.close());

async function mint(grants: Grant): Promise<{ token: string; sandboxId: string }> {
  authorization = { subject: 'ann', sandbox: { template: 'base' }, grants };
  const headers = { 'content-type': 'application/json' };
  const response = await core.handle(new Request('https://any.test/sessions', { method: 'POST', headers }));
  return (await response.json()) as { token: string; sandboxId: string };
}

async function open(grants: Grant) {
  const { token, sandboxId } = await mint(grants);
  const session = await core.authorizePty(token, sandboxId);
  fake.envd.length = 0;
  events.length = 0;
  const call = (path: string, message: object, init: RequestInit = {}) =>
    session.fetch(`${session.baseUrl}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
      ...init,
    });
  /** A terminal, or a command. */
  const start = (message: object) => {
    const text = new TextEncoder().encode(JSON.stringify(message));
    const body = new Uint8Array([0, 0, 0, 0, text.length, ...text]);
    return call(
      'process.Process/Start',
      {},
      { headers: { 'content-type': 'application/connect+json' }, body },
    );
  };
  return { session, call, start };
}

const pty = { process: { cmd: '/bin/bash' }, pty: { size: { cols: 80, rows: 24 } } };
const command = { process: { cmd: '/bin/bash', args: ['-l', '-c', 'ls'] } };

describe('who holds a token', () => {
  test.each(['read', 'write'] as const)(
    'that may %s terminals is let to those of its sandbox',
    async (mode) => {
      const { session } = await open({ pty: mode });
      expect(session).toMatchObject({ mode, envdVersion: '0.6.13', claims: { sub: 'ann' } });
    },
  );

  test('that may not is refused, and so is the one of another sandbox', async () => {
    const none = await mint({ commands: 'run' });
    await expect(core.authorizePty(none.token, none.sandboxId)).rejects.toMatchObject({
      code: 'permission_denied',
      statusCode: 403,
    });
    const [one, other] = [await mint(everything), await mint(everything)];
    await expect(core.authorizePty(one.token, other.sandboxId)).rejects.toMatchObject({
      code: 'unauthenticated',
      statusCode: 401,
    });
  });

  test('keeps the sandbox for as long as a terminal is open', async () => {
    const { session } = await open({ ...everything });
    fake.control.length = 0;
    await session.life.keepAlive?.extend();
    expect(fake.control.map(({ path }) => path)).toEqual([expect.stringContaining(session.claims.sbx)]);
  });
});

describe('the way to terminals', () => {
  test('is the same for all of a user’s sockets: who may type is for the relay to say', async () => {
    const { start } = await open({ pty: 'read', user: 'user' });
    expect((await start(pty)).status).toBe(200);
    expect(fake.envd[0]?.headers.authorization).toBe(`Basic ${btoa('user:')}`);
  });

  test('has envd’s own user where none is pinned', async () => {
    const { start } = await open({ pty: 'write' });
    await (await start(pty)).arrayBuffer();
    expect(fake.envd).toHaveLength(1);
    expect(fake.envd[0]?.headers).not.toHaveProperty('authorization');
  });

  test('leads to nothing else that the session may', async () => {
    const { call, start, session } = await open(everything);
    expect(await refusal(await start(command))).toEqual({ status: 403, code: 'permission_denied' });
    const stat = await call('filesystem.Filesystem/Stat', { path: '/x' });
    expect(await refusal(stat)).toEqual({ status: 403, code: 'permission_denied' });
    const file = await session.fetch(`${session.baseUrl}/files?path=/x`, {});
    expect(await refusal(file)).toEqual({ status: 403, code: 'permission_denied' });
    const session404 = await session.fetch('http://broker.invalid/sessions/x/kill', { method: 'GET' });
    expect([404, 405]).toContain(session404.status);
    expect(fake.envd).toEqual([]);
  });

  test('counts and logs no streams of its own: a terminal is counted by its sockets', async () => {
    const { start } = await open(everything);
    const answers = [await start(pty), await start(pty), await start(pty)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const answer of answers) await answer.arrayBuffer();
    expect(events).toEqual([]);
  });

  test('answers what is refused with the id of the decision that opened it', async () => {
    const { token, sandboxId } = await mint(everything);
    const session = await core.authorizePty(token, sandboxId);
    const response = await session.fetch(`${session.baseUrl}/init`, { method: 'POST' });
    const decision = events.find(({ action }) => action === 'pty');
    expect(await response.json()).toMatchObject({ code: 'route_not_found', requestId: decision?.requestId });
  });

  test('is left by who calls, and not answered then', async () => {
    const { call } = await open(everything);
    const reason = new Error('closed');
    await expect(call('process.Process/List', {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });
});

describe('an interrupt', () => {
  test('is run by the broker itself as the terminal’s user, for a terminal of the session’s and nothing else', async () => {
    const { session, start } = await open({ pty: 'write', user: 'user' });
    expect(await session.interrupt(4711, 'INT').catch((error: unknown) => error)).toMatchObject({
      code: 'not_found',
    });
    expect(fake.envd.map(({ path }) => path)).toEqual([expect.stringContaining('Process/List')]);
    await (await start(pty)).arrayBuffer();
    fake.envd.length = 0;
    await session.interrupt(7, 'INT').catch(() => undefined);
    const helper = fake.envd.find(({ path }) => path.includes('Process/Start'));
    expect(helper?.headers.authorization).toBe(`Basic ${btoa('user:')}`);
  });
});
