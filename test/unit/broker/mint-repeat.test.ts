import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { json } from './support/fake-e2b.js';
import { bearer, everything, type Harness, origin, refusal, startHarness } from './support/harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness({ limits: { mintsPerMinute: 3 } });
});

afterEach(() => harness.close());

function ask(key: string, body: object = {}): Promise<Response> {
  return harness.send('/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin, 'idempotency-key': key },
    body: JSON.stringify(body),
  });
}

describe('a mint that is repeated', () => {
  test('is counted as a refresh of its session', async () => {
    for (let count = 0; count < 4; count++) expect((await ask('k1')).status).toBe(201);
    expect(await refusal(await ask('k1'))).toEqual({ status: 429, code: 'rate_limited' });
    expect((await ask('k2')).status).toBe(201);
  });

  test('is not begun anew where the control plane cannot tell of its sandbox', async () => {
    const { sessionId } = (await (await ask('k1')).json()) as { sessionId: string };
    harness.fake.onControl = (_, response) => {
      json(response, 400, { code: 400, message: 'no' });
      return true;
    };
    expect(await refusal(await ask('k1'))).toEqual({ status: 502, code: 'upstream_unavailable' });
    harness.fake.onControl = undefined;
    expect(await (await ask('k1')).json()).toMatchObject({ sessionId });
  });

  test('with another invitation is another one', async () => {
    harness.authorization = {
      subject: 'ann',
      sandbox: { template: 'base' },
      grants: everything,
      invite: { pty: 'read' },
    };
    const session = await harness.mint();
    const invite = async (): Promise<string> => {
      const response = await harness.send(`/sessions/${session.sessionId}/invite`, {
        method: 'POST',
        headers: { ...bearer(session), 'content-type': 'application/json' },
        body: '{}',
      });
      return ((await response.json()) as { invitation: string }).invitation;
    };
    const [one, other] = [await invite(), await invite()];
    expect((await ask('k1', { invitation: one })).status).toBe(201);
    const reused = { status: 409, code: 'idempotency_key_reused' };
    expect(await refusal(await ask('k1', { invitation: other }))).toEqual(reused);
    expect(await refusal(await ask('k1'))).toEqual(reused);
  });

  test('is logged with its session and sandbox, as the first time', async () => {
    for (let count = 0; count < 2; count++) {
      const { sessionId } = (await (await ask('k1')).json()) as { sessionId: string };
      expect(harness.events.at(-1)).toMatchObject({ action: 'mint', sessionId, sandboxId: 'i1' });
    }
  });
});
