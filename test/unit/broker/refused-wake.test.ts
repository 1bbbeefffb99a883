import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import type { Session } from '../../../src/wire/session.js';
import { json } from './support/fake-e2b.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;

beforeEach(async () => {
  harness = await startHarness();
  session = await harness.session({ ...everything, ports: [3000] });
  // Made to resume by traffic, but its memory was not kept: E2B's edge does not do it by itself.
  Object.assign(harness.fake.sandboxes.get(session.sandboxId) ?? {}, { state: 'paused' });
  harness.fake.onEnvd = ({ headers }, response) => {
    if (harness.fake.sandboxes.get(session.sandboxId)?.state === 'running') return false;
    json(response, 403, { sandboxId: headers['e2b-sandbox-id'], message: 'permission denied', code: 403 });
    return true;
  };
});

afterEach(() => harness.close());

const paused = { status: 409, code: 'sandbox_paused' };

describe('a sandbox that traffic may not wake', () => {
  test.each<[string, string, RequestInit]>([
    ['health', '/envd/:id/health', {}],
    ['a download', '/envd/:id/files?path=/a', {}],
    [
      'an upload',
      '/envd/:id/files?path=/a',
      { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: 'x' },
    ],
    [
      'a call',
      '/envd/:id/process.Process/List',
      { method: 'POST', headers: { 'content-type': 'application/proto' }, body: '' },
    ],
    [
      'a stream',
      '/envd/:id/process.Process/Start',
      {
        method: 'POST',
        headers: { 'content-type': 'application/connect+json' },
        body: encodeEnvelope(
          0,
          new TextEncoder().encode(
            JSON.stringify({ process: { cmd: '/bin/bash', args: ['-l', '-c', 'a'] } }),
          ),
        ),
      },
    ],
    ['a preview', '/ports/:id/3000/', {}],
  ])('answers %s with what to do: it is paused, and is resumed by the page', async (_, path, init) => {
    const send = (): Promise<Response> =>
      harness.send(path.replace(':id', session.sandboxId), {
        ...init,
        headers: { ...bearer(session), ...init.headers },
      });
    expect(await refusal(await send())).toEqual(paused);
    const resumed = await harness.send(`/sessions/${session.sessionId}/resume`, {
      method: 'POST',
      headers: { ...bearer(session), 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await resumed.json()).toEqual({ resumed: true });
    expect((await send()).status).toBeLessThan(300);
  });
});
