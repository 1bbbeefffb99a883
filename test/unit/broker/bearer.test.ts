import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Session } from '../../../src/wire/session.js';
import { type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;

beforeEach(async () => {
  harness = await startHarness();
  session = await harness.mint();
});

afterEach(() => harness.close());

function use(authorization: string | undefined): Promise<Response> {
  return harness.send(`/envd/${session.sandboxId}/health`, {
    headers: { ...(authorization !== undefined && { authorization }) },
  });
}

test('a token is taken from a header that holds nothing else', async () => {
  const { token } = session;
  expect((await use(`Bearer ${token}`)).status).toBe(204);
  expect((await use(`bearer ${token}`)).status).toBe(204);
  for (const header of [undefined, '', token, `Basic ${token}`, `x, Bearer ${token}`, `Bearer ${token} x`]) {
    expect(await refusal(await use(header))).toEqual({ status: 401, code: 'unauthenticated' });
  }
  expect(harness.fake.envd).toHaveLength(2);
});

test('the log tells who it was, in which session and sandbox', async () => {
  await use(`Bearer ${session.token}`);
  const { sessionId, sandboxId } = session;
  expect(harness.events.at(-1)).toMatchObject({ subject: 'ann', sessionId, sandboxId });
});
