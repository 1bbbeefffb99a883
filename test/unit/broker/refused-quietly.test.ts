/** What nothing else would notice: no call that follows goes wrong where these are let through. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BrokerCore, createBrokerCore } from '../../../src/broker/broker-core.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import { type FakeE2B, startFakeE2B } from './support/fake-e2b.js';
import { secret } from './support/harness.js';

let fake: FakeE2B;
let core: BrokerCore<undefined>;
let grants: Grant;

beforeEach(async () => {
  fake = await startFakeE2B();
  core = createBrokerCore<undefined>({
    apiKey: fake.apiKey,
    apiUrl: fake.url,
    sandboxUrl: fake.url,
    signingKeys: { current: secret },
    origins: [],
    store: createMemoryStore(),
    limits: { mintsPerMinute: 2 },
    authorize: () => ({ subject: 'ann', sandbox: { template: 'base' }, grants }),
  });
});
afterEach(() => fake.close());

async function post(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const json = { 'content-type': 'application/json' };
  return core.handle(
    new Request(`https://any.test${path}`, { method: 'POST', headers: { ...json, ...headers } }),
  );
}

test('a session without terminals is not let in at one', async () => {
  grants = { commands: 'run' };
  const { token, sandboxId } = (await (await post('/sessions')).json()) as Session;
  await expect(core.authorizePty(token, sandboxId)).rejects.toMatchObject({ code: 'permission_denied' });
});

test('refreshes of a session are so many in any minute', async () => {
  grants = {};
  const { token } = (await (await post('/sessions')).json()) as Session;
  const statuses: number[] = [];
  for (let count = 0; count < 3; count++) {
    statuses.push((await post('/sessions/refresh', { authorization: `Bearer ${token}` })).status);
  }
  expect(statuses).toEqual([200, 200, 429]);
});
