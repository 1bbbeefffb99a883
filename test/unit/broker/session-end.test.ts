import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { json } from './support/fake-e2b.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(async () => {
  await harness.close();
});

describe('an end', () => {
  test('kills the sandbox where the application says so, and not because the page may kill it', async () => {
    const kept = await harness.mint();
    const left = await harness.send(`/sessions/${kept.sessionId}`, {
      method: 'DELETE',
      headers: bearer(kept),
    });
    expect(await left.json()).toEqual({ revoked: false, killed: false });
    expect([...harness.fake.sandboxes.keys()]).toEqual([kept.sandboxId]);
    harness.fake.sandboxes.clear();
    harness.authorization = {
      subject: 'ann',
      sandbox: { template: 'base', endWithSession: true },
      grants: { pty: 'read' },
    };
    const session = await harness.mint();
    const ended = await harness.send(`/sessions/${session.sessionId}`, {
      method: 'DELETE',
      headers: bearer(session),
    });
    expect(await ended.json()).toEqual({ revoked: false, killed: true });
    expect(harness.fake.sandboxes.size).toBe(0);
  });

  test('revokes the session where there is a store, and leaves the sandbox where it may not kill', async () => {
    const stored = await startHarness({ store: createMemoryStore() });
    const session = await stored.session({ pty: 'write', commands: 'run' });
    const ended = await stored.send(`/sessions/${session.sessionId}`, {
      method: 'DELETE',
      headers: bearer(session),
    });
    expect(await ended.json()).toEqual({ revoked: true, killed: false });
    for (const [path, method] of [
      ['/sessions/refresh', 'POST'],
      [`/sessions/${session.sessionId}`, 'GET'],
      [`/envd/${session.sandboxId}/health`, 'GET'],
    ] as const) {
      const after = await stored.send(path, { method, headers: bearer(session) });
      expect(await refusal(after)).toEqual({ status: 401, code: 'session_revoked' });
    }
    expect(stored.fake.envd).toEqual([]);
    expect(stored.fake.sandboxes.size).toBe(1);
    await stored.close();
  });

  test('can be ended again where that failed', async () => {
    const stored = await startHarness({ store: createMemoryStore() });
    stored.authorization = {
      subject: 'ann',
      sandbox: { template: 'base', endWithSession: true },
      grants: everything,
    };
    const session = await stored.mint();
    const end = () =>
      stored.send(`/sessions/${session.sessionId}`, { method: 'DELETE', headers: bearer(session) });
    stored.fake.onControl = (_, response) => {
      json(response, 500, {});
      return true;
    };
    expect(await refusal(await end())).toEqual({ status: 502, code: 'upstream_unavailable' });
    stored.fake.onControl = undefined;
    expect(await (await end()).json()).toEqual({ revoked: true, killed: true });
    expect(await refusal(await end())).toEqual({ status: 401, code: 'session_revoked' });
    await stored.close();
  });

  test('what goes wrong inside stays inside', async () => {
    const broken = await startHarness({
      store: { get: () => undefined, set: () => Promise.reject(new Error('password is hunter2')) },
    });
    const session = await broken.mint();
    const response = await broken.send(`/sessions/${session.sessionId}`, {
      method: 'DELETE',
      headers: bearer(session),
    });
    const text = await response.clone().text();
    expect(await refusal(response)).toEqual({ status: 500, code: 'broker_misconfigured' });
    expect(text).not.toContain('hunter2');
    expect(String(broken.events.at(-1)?.cause)).toContain('hunter2');
    await broken.close();
  });
});
