import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import { harness, host, intents, invite, inviting, join, useGuests, watch } from './support/guests.js';
import { bearer, everything, refusal } from './support/harness.js';

useGuests();

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
    expect(response.status).toBe(400);
    const { message } = (await response.json()) as { message: string };
    expect(message).toContain(Object.keys(body)[0]);
  });
});
