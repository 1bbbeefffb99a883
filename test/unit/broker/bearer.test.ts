import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lifeOf } from '../../../src/broker/bearer.js';
import type { Scope } from '../../../src/broker/exchange.js';
import { parseGrant } from '../../../src/broker/grant.js';
import type { SessionClaims } from '../../../src/broker/session-token.js';
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

describe('what is open for a session', () => {
  const claims: SessionClaims = { sub: 'ann', sid: 's1', sbx: 'i1', g: parseGrant({}), auth_time: 1000 };
  const credentials = { tokens: { sessionLifeMs: 60_000 } };
  const keepAlive = vi.fn(async () => undefined);
  const check = vi.fn(async () => undefined);
  const scope = (areKept: boolean) =>
    ({ credentials, keepAlive, revocations: { areKept, check } }) as unknown as Scope;

  test('ends with it, and is asked about where that is remembered', async () => {
    expect(lifeOf(scope(false), claims)).toStrictEqual({ until: 1_060_000 });
    const life = lifeOf(scope(true), claims);
    expect(life).toStrictEqual({ until: 1_060_000, check: expect.any(Function) });
    await life.check?.();
    expect(check).toHaveBeenCalledWith(claims);
  });

  test('puts off the end of the sandbox with the credentials of the moment, where it does so at all', async () => {
    const kept = { ...claims, keep: 20 };
    const life = lifeOf(scope(false), kept);
    expect(life).toMatchObject({ until: 1_060_000, keepAlive: { everyMs: 10_000 } });
    await life.keepAlive?.extend();
    expect(keepAlive).toHaveBeenLastCalledWith(kept, credentials);
    const later = { tokens: {} } as Scope['credentials'];
    await lifeOf(scope(false), kept, async () => later).keepAlive?.extend();
    expect(keepAlive).toHaveBeenLastCalledWith(kept, later);
  });
});
