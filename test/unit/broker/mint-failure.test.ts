import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Authorization } from '../../../src/broker/authorization.js';
import type { ExactStore } from '../../../src/broker/store-claim.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { everything, type Harness, origin, refusal, startHarness } from './support/harness.js';

let harness: Harness;
/** What the store does not do. */
let broken: string | undefined;

beforeEach(async () => {
  broken = undefined;
  const memory = createMemoryStore();
  const fails = (what: string): void => {
    if (broken !== undefined && what.startsWith(broken)) throw new Error('the store is down');
  };
  const store: ExactStore = {
    get(key) {
      fails(`get ${key}`);
      return memory.get(key);
    },
    set(key, value, expiresAt) {
      fails(`set ${key}`);
      return memory.set(key, value, expiresAt);
    },
    compareAndSet(key, expected, value, expiresAt) {
      fails(`${value.split(':')[0]} ${key}`);
      return memory.compareAndSet(key, expected, value, expiresAt);
    },
  };
  harness = await startHarness({ store });
});

afterEach(() => harness.close());

function mint(headers: Record<string, string> = {}): Promise<Response> {
  return harness.send('/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin, ...headers },
    body: '{}',
  });
}

function allow(sandbox: Authorization['sandbox']): void {
  harness.authorization = { subject: 'ann', sandbox, grants: everything };
}

const kills = (): string[] =>
  harness.fake.control.filter(({ method }) => method === 'DELETE').map(({ path }) => path);

describe('a session that cannot begin', () => {
  test.each([
    ['get ended-subject', {}],
    ['get ended-session', {}],
    ['set ends-with', {}],
    ['done mint', { 'idempotency-key': 'k1' }],
  ])('because the store does not %s has the sandbox killed that was made for it', async (what, headers) => {
    allow({ template: 'base', endWithSession: true });
    broken = what;
    expect(await refusal(await mint(headers))).toEqual({ status: 500, code: 'broker_misconfigured' });
    await expect.poll(() => harness.fake.sandboxes.size).toBe(0);
    expect(harness.fake.control.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
    broken = undefined;
    expect((await mint(headers)).status).toBe(201);
    expect(harness.fake.sandboxes.size).toBe(1);
  });

  test('because its subject was locked out meanwhile has it killed, for which the host is asked to wait', async () => {
    const { fake } = harness;
    const works: Promise<unknown>[] = [];
    fake.onControl = (seen, response) => {
      fake.onControl = undefined;
      setTimeout(async () => {
        await harness.revoke({ subject: 'ann' });
        fake.answer(seen, response);
      }, 5);
      return true;
    };
    const response = await harness.send(
      '/sessions',
      { method: 'POST', headers: { 'content-type': 'application/json', origin }, body: '{}' },
      { ctx: { waitUntil: (work) => void works.push(work) } },
    );
    expect(await refusal(response)).toEqual({ status: 401, code: 'session_revoked' });
    await Promise.all(works);
    expect(fake.sandboxes.size).toBe(0);
  });

  test('leaves those alone that others may have: named by the application, found again, or asked for', async () => {
    const { sandboxId } = await harness.mint();
    broken = 'get ended-subject';
    allow({ id: sandboxId });
    expect((await mint()).status).toBe(500);
    allow({ template: 'base', reuse: true });
    expect((await mint()).status).toBe(500);
    allow({ template: 'base' });
    await expect(harness.mint({ sandboxId })).rejects.toMatchObject({ code: 'broker_misconfigured' });
    broken = undefined;
    // Nothing else is under way once this has been answered.
    await harness.mint();
    expect(kills()).toEqual([]);
    expect(harness.fake.sandboxes.size).toBe(3);
  });

  test('tells why it failed, whatever becomes of the sandbox', async () => {
    const { fake } = harness;
    broken = 'get ended-subject';
    fake.onControl = ({ method }, response) => {
      if (method !== 'DELETE') return false;
      response.writeHead(401).end();
      return true;
    };
    expect(await refusal(await mint())).toEqual({ status: 500, code: 'broker_misconfigured' });
    await expect.poll(kills).toHaveLength(1);
  });
});
