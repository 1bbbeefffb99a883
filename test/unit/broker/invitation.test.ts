import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Authorization, Intent } from '../../../src/broker/authorization.js';
import type { BrokerOptions } from '../../../src/broker/broker-options.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import {
  bearer,
  everything,
  type Harness,
  origin,
  refusal,
  secret,
  startHarness,
} from './support/harness.js';

let harness: Harness;
let intents: Intent[];

beforeEach(async () => {
  harness = await start();
});

afterEach(async () => {
  vi.useRealTimers();
  await harness.close();
});

async function start(more: Partial<BrokerOptions<undefined>> = {}): Promise<Harness> {
  intents = [];
  const made: Harness = await startHarness({
    store: createMemoryStore(),
    authorize: (_request, intent) => {
      intents.push(intent);
      return made.authorization;
    },
    ...more,
  });
  return made;
}

/** A session of Ann's that may pass this much on. */
async function host(invite: Grant, more: Partial<Authorization> = {}): Promise<Session> {
  harness.authorization = {
    subject: 'ann',
    sandbox: { template: 'base' },
    grants: everything,
    invite,
    ...more,
  };
  return harness.mint();
}

function inviting(session: Session, body: unknown = {}): Promise<Response> {
  return harness.send(`/sessions/${session.sessionId}/invite`, {
    method: 'POST',
    headers: { ...bearer(session), 'content-type': 'application/json', origin },
    body: JSON.stringify(body),
  });
}

async function invite(session: Session, body?: unknown): Promise<string> {
  const response = await inviting(session, body);
  expect(response.status).toBe(201);
  return ((await response.json()) as { invitation: string }).invitation;
}

/** Bob comes, and the application allows this. */
function join(invitation: string, grants: Grant = everything, more: Partial<Authorization> = {}, body = {}) {
  harness.authorization = { subject: 'bob', sandbox: { template: 'base' }, grants, ...more };
  return harness.mint({ invitation, ...body });
}

const invalid = { code: 'invitation_invalid', response: { status: 403 } };
const watch: Grant = { pty: 'read' };

describe('an invitation', () => {
  test('gives a session of the same sandbox and its terminals to who is allowed to come', async () => {
    const session = await host(watch);
    expect(session.invite).toMatchObject(watch);
    const invitation = await invite(session);
    const guest = await join(invitation);
    expect(guest).toMatchObject({ sandboxId: session.sandboxId, grant: { pty: 'read', commands: 'none' } });
    expect(guest.sessionId).not.toBe(session.sessionId);
    expect(intents.at(-1)).toEqual({
      action: 'join',
      sandboxId: session.sandboxId,
      invitedBy: 'ann',
      grant: { ...guest.grant },
    });
    expect(decodeProtectedHeader(invitation).typ).toBe('e2b-invitation+jwt');
    expect(harness.fake.sandboxes.size).toBe(1);
    expect(harness.events.at(-1)).toMatchObject({ action: 'join', outcome: 'allowed', subject: 'bob' });
    expect(decodeJwt(guest.token)).toMatchObject({ sub: 'bob', own: 'ann', via: [{ sub: 'ann' }] });
    expect(JSON.stringify(harness.events)).not.toContain(invitation);
  });

  test('is made by a session that may invite, and by no other', async () => {
    harness.authorization = { subject: 'ann', sandbox: { template: 'base' }, grants: everything };
    const session = await harness.mint();
    expect(session).not.toHaveProperty('invite');
    expect(await refusal(await inviting(session))).toEqual({ status: 403, code: 'permission_denied' });
    const able = await host(watch);
    expect(await refusal(await inviting({ ...able, token: session.token }))).toEqual({
      status: 404,
      code: 'route_not_found',
    });
  });

  test('passes on no more than the session has, than it may pass on, than the application allows, than is asked', async () => {
    const files = (prefix: string) => [{ op: 'read' as const, prefix }];
    const mayPass: Grant = {
      pty: 'write',
      commands: 'run',
      files: files('/srv'),
      lifecycle: ['kill', 'info'],
    };
    const session = await host(mayPass, {
      grants: { pty: 'read', commands: 'run', files: files('/srv/a'), lifecycle: ['info', 'kill'] },
    });
    const most = { pty: 'read', commands: 'run', files: files('/srv/a'), lifecycle: ['kill', 'info'] };
    expect(session.invite).toMatchObject(most);
    const wide = await join(await invite(session, { grant: { ...everything } }));
    expect(wide.grant).toMatchObject({ ...most, lifecycle: expect.arrayContaining(['info', 'kill']) });
    const narrow = await join(await invite(session, { grant: { pty: 'read', files: files('/srv/a/b') } }));
    expect(narrow.grant).toMatchObject({
      pty: 'read',
      commands: 'none',
      files: files('/srv/a/b'),
      lifecycle: [],
    });
    const allowed = await join(await invite(session), { pty: 'write', files: files('/srv/a/c') });
    expect(allowed.grant).toMatchObject({ pty: 'read', commands: 'none', files: files('/srv/a/c') });
    const asked = await join(await invite(session), everything, {}, { grant: { lifecycle: ['info'] } });
    expect(asked.grant).toMatchObject({ pty: 'none', commands: 'none', files: [], lifecycle: ['info'] });
  });

  test('has a guest be the same Linux user, and never another', async () => {
    const session = await host(watch, { grants: { ...everything, user: 'worker' } });
    expect((await join(await invite(session))).grant.user).toBe('worker');
    await expect(join(await invite(session), { ...everything, user: 'root' })).rejects.toMatchObject({
      code: 'broker_misconfigured',
    });
    const guest = await join(await invite(session));
    harness.authorization = { subject: 'bob', sandbox: { template: 'base' }, grants: everything };
    const fresh = await harness.send('/sessions/refresh', { method: 'POST', headers: bearer(guest) });
    expect(((await fresh.json()) as Session).grant.user).toBe('worker');
    expect(intents.at(-1)).toMatchObject({ action: 'refresh', subject: 'bob', invitedBy: 'ann' });
    await expect(host({ ...watch, user: 'root' })).rejects.toMatchObject({ code: 'broker_misconfigured' });
  });

  test('lets a guest see Ann’s processes as far as it is granted, and leaves it none of its own', async () => {
    const session = await host(watch, { grants: { pty: 'write', commands: 'run' } });
    const marks: (string | undefined)[] = [];
    for (const message of [{ pty: { size: { cols: 80, rows: 24 } } }, {}]) {
      await harness.rpc(session, Process.method.start, { process: { cmd: '/bin/bash' }, ...message });
    }
    for (const call of harness.fake.calls('process.Process/Start'))
      marks.push((call as { tag?: string }).tag);
    harness.fake.processes = [
      { pid: 1, tag: marks[0] as string },
      { pid: 2, tag: marks[1] as string },
    ];
    const guest = await join(await invite(session));
    const list = await harness.rpc(guest, Process.method.list, {}, { codec: 'json' });
    const { processes } = (await list.json()) as { processes: { pid: number }[] };
    expect(processes.map(({ pid }) => pid)).toEqual([1]);
    const selector = (pid: number) => ({ process: { selector: { case: 'pid', value: pid } } });
    const typing = { ...selector(1), input: { input: { case: 'pty', value: new Uint8Array([10]) } } };
    expect((await refusal(await harness.rpc(guest, Process.method.sendInput, typing))).status).toBe(403);
    const resize = { ...selector(1), pty: { size: { cols: 1, rows: 1 } } };
    expect((await refusal(await harness.rpc(guest, Process.method.update, resize))).status).toBe(403);
    const signal = { ...selector(1), signal: 9 };
    expect((await refusal(await harness.rpc(guest, Process.method.sendSignal, signal))).status).toBe(403);
    expect(harness.fake.envd.filter(({ path }) => /SendInput|Update|SendSignal/.test(path))).toEqual([]);
  });

  test('is for the sandbox of the session alone', async () => {
    const invitation = await invite(await host(watch));
    const { sandboxId } = await harness.mint();
    await expect(join(invitation, everything, {}, { sandboxId })).rejects.toMatchObject({
      code: 'sandbox_not_found',
    });
    await expect(join(invitation, everything, { sandbox: { id: 'other' } })).rejects.toMatchObject({
      code: 'session_refused',
    });
    harness.authorization = null;
    await expect(harness.mint({ invitation })).rejects.toMatchObject({ code: 'session_refused' });
  });

  test('may be used by who says of which sandbox it is, and by an application that does', async () => {
    const session = await host(watch);
    const { sandboxId } = session;
    expect((await join(await invite(session), everything, {}, { sandboxId })).sandboxId).toBe(sandboxId);
    const guest = await join(await invite(session), everything, { sandbox: { id: sandboxId } });
    expect(guest.sandboxId).toBe(sandboxId);
  });

  test('is good of a session that began after others of its subject were ended', async () => {
    await host(watch);
    await harness.revoke({ subject: 'ann' });
    const guest = await join(await invite(await host(watch)));
    const health = await harness.send(`/envd/${guest.sandboxId}/health`, { headers: bearer(guest) });
    expect(health.status).toBe(204);
  });

  test.each<[string, (session: Session) => Promise<void>]>([
    ['the guest is locked out', () => harness.revoke({ subject: 'bob' })],
    ['the host’s session is ended', ({ sessionId }) => harness.revoke({ sessionId })],
  ])('that is no good any more once the sandbox was found, as %s, leaves that be', async (_why, end) => {
    const session = await host(watch);
    const invitation = await invite(session);
    const { fake } = harness;
    fake.onControl = (seen, response) => {
      fake.onControl = undefined;
      setTimeout(async () => {
        await end(session);
        fake.answer(seen, response);
      }, 5);
      return true;
    };
    await expect(join(invitation)).rejects.toMatchObject({ code: 'session_revoked' });
    // Nothing else is under way once this has been answered.
    harness.authorization = { subject: 'carol', sandbox: { template: 'base' }, grants: everything };
    await harness.mint();
    expect(fake.control.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  test('is not said to be over where the store cannot tell', async () => {
    await harness.close();
    const memory = createMemoryStore();
    let isDown = false;
    harness = await start({
      store: {
        ...memory,
        get: (key) => {
          if (isDown) throw new Error('down');
          return memory.get(key);
        },
      },
    });
    const invitation = await invite(await host(watch));
    isDown = true;
    await expect(join(invitation)).rejects.toMatchObject({ code: 'broker_misconfigured' });
  });

  test('neither wakes the sandbox nor puts off its end, and its guest’s end does not kill it', async () => {
    const session = await host(watch);
    Object.assign(harness.fake.sandboxes.get(session.sandboxId) ?? {}, { state: 'paused' });
    const invitation = await invite(session);
    harness.fake.control.length = 0;
    const guest = await join(invitation, everything, { sandbox: { template: 'base', endWithSession: true } });
    expect(harness.fake.control.map(({ method }) => method)).toEqual(['GET']);
    const end = { method: 'DELETE', headers: bearer(guest) };
    const ended = await harness.send(`/sessions/${guest.sessionId}`, end);
    expect(await ended.json()).toEqual({ revoked: true, killed: false });
    expect(harness.fake.sandboxes.size).toBe(1);
  });

  test('makes one session, or as many as it says, however many ask at once', async () => {
    const session = await host(watch);
    for (const uses of [1, 3]) {
      const invitation = await invite(session, { uses });
      const results = await Promise.allSettled(Array.from({ length: 6 }, () => join(invitation)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(uses);
      await expect(join(invitation)).rejects.toMatchObject(invalid);
    }
  });

  test('is counted in this process where no store can', async () => {
    await harness.close();
    harness = await start({ store: { get: () => undefined, set: () => undefined } });
    const invitation = await invite(await host(watch));
    await join(invitation);
    await expect(join(invitation)).rejects.toMatchObject(invalid);
  });

  test('is not used up by who may not come', async () => {
    const invitation = await invite(await host(watch));
    harness.authorization = null;
    await expect(harness.mint({ invitation })).rejects.toMatchObject({ code: 'session_refused' });
    await join(invitation);
  });

  test('ends with its time, and with the session’s', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const session = await host(watch);
    const response = await inviting(session, { ttlMs: 60_000, uses: 9 });
    const { invitation, expiresAt } = (await response.json()) as { invitation: string; expiresAt: number };
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 60_000);
    vi.setSystemTime(expiresAt - 2_000);
    await join(invitation);
    vi.setSystemTime(expiresAt + 1);
    await expect(join(invitation)).rejects.toMatchObject(invalid);
    const long = await inviting(await host(watch), { ttlMs: 86_400_000 });
    const { expiresAt: end } = (await long.json()) as { expiresAt: number };
    expect(end).toBeLessThanOrEqual(Date.now() + 8 * 3_600_000);
  });

  test('gives a session that ends with the one that invited, though it began later', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const began = Date.now();
    const session = await host(watch);
    vi.setSystemTime(began + 240_000);
    const guest = await join(await invite(session));
    const refreshed = async (at: number) => {
      vi.setSystemTime(at);
      harness.authorization = { subject: 'bob', sandbox: { template: 'base' }, grants: everything };
      return harness.send('/sessions/refresh', { method: 'POST', headers: bearer(guest) });
    };
    expect((await refreshed(began + 8 * 3_600_000 - 2_000)).status).toBe(200);
    expect(await refusal(await refreshed(began + 8 * 3_600_000))).toEqual({
      status: 401,
      code: 'session_expired',
    });
  });

  test.each<[string, (session: Session) => Promise<void>]>([
    [
      'its page ends it',
      async (session) => {
        await harness.send(`/sessions/${session.sessionId}`, { method: 'DELETE', headers: bearer(session) });
      },
    ],
    ['it is revoked', ({ sessionId }) => harness.revoke({ sessionId })],
    ['all of its subject are', () => harness.revoke({ subject: 'ann' })],
  ])('is over, with the sessions that came of it, when %s', async (_how, end) => {
    const session = await host(watch);
    const invitation = await invite(session, { uses: 9 });
    const guest = await join(invitation, everything, { invite: watch });
    const second = await join(await invite(guest), everything, { subject: 'carol' });
    await end(session);
    for (const one of [guest, second]) {
      const health = await harness.send(`/envd/${one.sandboxId}/health`, { headers: bearer(one) });
      expect(await refusal(health)).toEqual({ status: 401, code: 'session_revoked' });
    }
    await expect(join(invitation)).rejects.toMatchObject(invalid);
  });

  test('can be passed on only where the application lets the guest invite', async () => {
    const session = await host({ pty: 'read', commands: 'run' });
    const guest = await join(await invite(session));
    expect(await refusal(await inviting(guest))).toEqual({ status: 403, code: 'permission_denied' });
    const free = await join(await invite(session), { pty: 'read' }, { invite: everything });
    expect(free.invite).toMatchObject({ pty: 'read', commands: 'none' });
    const third = await join(await invite(free), everything, { subject: 'carol' });
    expect(decodeJwt(third.token)).toMatchObject({ own: 'ann', via: [{ sub: 'ann' }, { sub: 'bob' }] });
    const fourth = await join(
      await invite(await join(await invite(free), everything, { subject: 'dan', invite: watch })),
    );
    expect(intents.at(-1)).toMatchObject({ action: 'join', invitedBy: 'dan' });
    expect(decodeJwt(fourth.token).via).toHaveLength(3);
  });

  test('may be passed on less after a refresh, and never more', async () => {
    const session = await host({ pty: 'write' });
    const refresh = async (invite?: Grant) => {
      harness.authorization = {
        subject: 'ann',
        sandbox: { template: 'base' },
        grants: everything,
        ...(invite && { invite }),
      };
      const response = await harness.send('/sessions/refresh', { method: 'POST', headers: bearer(session) });
      return ((await response.json()) as Session).invite;
    };
    expect(await refresh(everything)).toMatchObject({ pty: 'write', commands: 'none' });
    expect(await refresh(watch)).toMatchObject({ pty: 'read' });
    expect(await refresh()).toBeUndefined();
  });

  test.each([
    { ttlMs: 60 },
    { ttlMs: 86_400_001 },
    { ttlMs: '60000' },
    { uses: 0 },
    { uses: 101 },
    { uses: 1.5 },
    { grant: 'all' },
    { grant: { root: true } },
  ])('is not made of %j', async (body) => {
    const response = await inviting(await host(watch), body);
    expect(await refusal(response)).toMatchObject({ status: 400 });
  });
});

describe('the tokens of a session and of an invitation', () => {
  const key = new TextEncoder().encode(secret);
  const parts = (token: string) =>
    token
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString())) as [{ kid: string }, object];
  const forge = (token: string, header: object, claims: object = {}) =>
    new SignJWT({ ...parts(token)[1], ...claims })
      .setProtectedHeader({ alg: 'HS256', ...parts(token)[0], ...header })
      .sign(key);

  test('are never taken for one another', async () => {
    const session = await host(watch);
    const invitation = await invite(session);
    for (const [path, method] of [
      ['/sessions/refresh', 'POST'],
      [`/sessions/${session.sessionId}`, 'GET'],
      [`/envd/${session.sandboxId}/health`, 'GET'],
    ] as const) {
      const headers = { authorization: `Bearer ${invitation}` };
      expect(await refusal(await harness.send(path, { method, headers }))).toMatchObject({ status: 401 });
    }
    await expect(join(session.token)).rejects.toMatchObject(invalid);
    // Though each had all that the other needs.
    const claims = { ...parts(session.token)[1], ...parts(invitation)[1] };
    await expect(join(await forge(session.token, {}, claims))).rejects.toMatchObject(invalid);
    const headers = { authorization: `Bearer ${await forge(invitation, {}, claims)}` };
    const health = await harness.send(`/envd/${session.sandboxId}/health`, { headers });
    expect(await refusal(health)).toEqual({ status: 401, code: 'unauthenticated' });
  });

  test.each<[string, object, object]>([
    ['another type', { typ: 'JWT' }, {}],
    ['no type', { typ: undefined }, {}],
    ['an unknown key', { kid: 'other' }, {}],
    ['another algorithm', { alg: 'HS512' }, {}],
    ['another issuer', {}, { iss: 'other' }],
    ['another audience', {}, { aud: '/other' }],
    ['a time that is over', {}, { exp: 1 }],
    ['no end', {}, { exp: undefined }],
    ['a time to come', {}, { iat: Date.now() / 1000 + 600 }],
    ['no name', {}, { jti: undefined }],
    ['nobody who invites', {}, { via: [] }],
    ['no sessions', {}, { via: undefined }],
    ['no owner', {}, { own: undefined }],
    ['a grant that is none', {}, { g: { root: true } }],
    ['a sandbox that is a host', {}, { sbx: 'evil.example/' }],
    ['no number of uses', {}, { uses: 'all' }],
    ['a session that is long over', {}, { auth_time: 1 }],
  ])('an invitation of %s is none', async (_what, header, claims) => {
    const invitation = await invite(await host(watch));
    await expect(join(await forge(invitation, header, claims))).rejects.toMatchObject(invalid);
    await join(await forge(invitation, {}));
  });

  test('an invitation of another key is none', async () => {
    const invitation = await invite(await host(watch));
    const [head, body] = invitation.split('.');
    const forged = await new SignJWT(parts(invitation)[1] as never)
      .setProtectedHeader({ alg: 'HS256', ...parts(invitation)[0] })
      .sign(new TextEncoder().encode('another secret of thirty-two bytes'));
    for (const token of [forged, `${head}.${body}.`, 'nonsense', '']) {
      await expect(join(token)).rejects.toMatchObject(invalid);
    }
  });
});
