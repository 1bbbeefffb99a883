import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Authorization } from '../../../src/broker/authorization.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import type { Session } from '../../../src/wire/session.js';
import { json } from './support/fake-e2b.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(async () => {
  vi.useRealTimers();
  await harness.close();
});

function allow(more: Partial<Authorization> = {}): void {
  harness.authorization = { subject: 'ann', sandbox: { template: 'base' }, grants: everything, ...more };
}

function refresh(session: Session): Promise<Response> {
  return harness.send('/sessions/refresh', { method: 'POST', headers: bearer(session) });
}

const extensions = () => harness.fake.control.filter(({ path }) => path.endsWith('/refreshes'));

describe('a session as a page gets it', () => {
  test('tells where to use it, with previews and invitations where it may have them', async () => {
    await harness.close();
    harness = await startHarness({ publicUrl: 'https://api.example/box' });
    const { sessionId, urls, ...rest } = await harness.mint();
    const base = 'https://api.example/box';
    const all = {
      envd: `${base}/envd/i1`,
      pty: `${base}/pty/i1`,
      refresh: `${base}/sessions/refresh`,
      session: `${base}/sessions/${sessionId}`,
      sign: `${base}/files/sign`,
    };
    expect(urls).toStrictEqual(all);
    expect(rest).not.toHaveProperty('invite');
    allow({ grants: { ports: [3000] }, invite: { ports: [3000] } });
    const more = await harness.mint();
    expect(more.urls.preview).toBe(`${base}/ports/i2/{port}/`);
    expect(more.invite).toMatchObject({ ports: [3000] });
  });

  test('is good for the sandbox as it was when it was given, which is not asked for again', async () => {
    const session = await harness.mint();
    harness.fake.control.length = 0;
    const health = () => harness.send(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
    expect((await health()).status).toBe(204);
    expect(harness.fake.control).toEqual([]);
  });
});

describe('a refreshed session', () => {
  test('has the processes that it had, and is refused where they would be others', async () => {
    allow({ processesOf: 'bob' });
    const session = await harness.mint();
    expect((await refresh(session)).status).toBe(200);
    for (const processesOf of ['eve', undefined]) {
      allow(processesOf === undefined ? {} : { processesOf });
      expect(await refusal(await refresh(session))).toEqual({ status: 403, code: 'session_refused' });
    }
    allow();
    const own = await harness.mint();
    allow({ processesOf: 'bob' });
    expect(await refusal(await refresh(own))).toEqual({ status: 403, code: 'session_refused' });
  });

  test('cannot invite where it could not before', async () => {
    const session = await harness.mint();
    allow({ invite: { pty: 'read' } });
    const response = await refresh(session);
    expect(response.status).toBe(200);
    expect(await response.json()).not.toHaveProperty('invite');
  });

  test('is of the sandbox that the application names, where that is its own', async () => {
    const session = await harness.mint();
    allow({ sandbox: { id: session.sandboxId } });
    expect((await refresh(session)).status).toBe(200);
  });

  test('puts off no end where the application does not want that any more, or does again', async () => {
    allow({ sandbox: { template: 'base', keepAlive: false } });
    const session = await harness.mint();
    await refresh(session);
    expect(extensions()).toEqual([]);
    allow();
    await refresh(session);
    expect(extensions()).toHaveLength(1);
    const kept = await harness.mint();
    allow({ sandbox: { template: 'base', keepAlive: false } });
    const fresh = (await (await refresh(kept)).json()) as Session;
    await harness.send(`/envd/${fresh.sandboxId}/health`, { headers: bearer(fresh) });
    expect(extensions()).toHaveLength(1);
  });

  test('is none where its sandbox ends just then', async () => {
    const session = await harness.mint();
    harness.fake.onControl = ({ path }, response) => {
      if (!path.endsWith('/refreshes')) return false;
      json(response, 404, { code: 404, message: 'gone' });
      return true;
    };
    expect(await refusal(await refresh(session))).toEqual({ status: 404, code: 'sandbox_not_found' });
  });

  test('finds its sandbox without another question, also at a broker that did not make it', async () => {
    const session = await harness.mint();
    const { url, apiKey } = harness.fake;
    const other = await startHarness({ apiKey, apiUrl: url, sandboxUrl: url });
    const headers = bearer(session);
    harness.fake.control.length = 0;
    expect((await other.send('/sessions/refresh', { method: 'POST', headers })).status).toBe(200);
    const asked = harness.fake.control.length;
    expect((await other.send(`/envd/${session.sandboxId}/health`, { headers })).status).toBe(204);
    expect(harness.fake.control).toHaveLength(asked);
    await other.close();
  });
});

describe('an ended session', () => {
  test('leaves the sandbox to others, who need not look for it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const session = await harness.mint();
    const other = await harness.mint({ sandboxId: session.sandboxId });
    vi.advanceTimersByTime(10_000);
    await harness.send(`/sessions/${session.sessionId}`, { method: 'DELETE', headers: bearer(session) });
    harness.fake.control.length = 0;
    const health = await harness.send(`/envd/${other.sandboxId}/health`, { headers: bearer(other) });
    expect(health.status).toBe(204);
    expect(harness.fake.control).toEqual([]);
  });

  test('whose sandbox was killed is not looked for by others of that sandbox', async () => {
    await harness.close();
    harness = await startHarness({ store: createMemoryStore() });
    allow({ sandbox: { template: 'base', endWithSession: true } });
    const session = await harness.mint();
    const other = await harness.mint({ sandboxId: session.sandboxId });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
    const ended = await harness.send(`/sessions/${session.sessionId}`, {
      method: 'DELETE',
      headers: bearer(session),
    });
    expect(await ended.json()).toEqual({ revoked: true, killed: true });
    const health = await harness.send(`/envd/${other.sandboxId}/health`, { headers: bearer(other) });
    expect(await refusal(health)).toMatchObject({ code: 'sandbox_not_found' });
    expect(harness.fake.envd).toEqual([]);
  });
});
