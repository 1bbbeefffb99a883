import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import type { Session } from '../../../src/wire/session.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;
let held: ServerResponse[];

beforeEach(async () => {
  harness = await startHarness({ limits: { calls: 1, mintsPerMinute: 1000 } });
  session = await harness.mint();
  held = [];
  harness.fake.onEnvd = (_, response) => held.push(response) === 1;
});

afterEach(() => harness.close());

const tooMany = { status: 429, code: 'too_many_calls' };
const list = (whose: Session = session): Promise<Response> => harness.rpc(whose, Process.method.list, {});

describe('calls at once', () => {
  test('are as many as is said, of one session and each answer by itself', async () => {
    const first = list();
    await expect.poll(() => held.length).toBe(1);
    const refused = await list();
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(await refusal(refused)).toEqual(tooMany);
    const health = await harness.send(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
    expect(await refusal(health)).toEqual(tooMany);
    expect((await list(await harness.session(everything, 'bob'))).status).toBe(200);
    held[0]?.destroy();
    expect((await first).status).toBe(502);
    expect((await list()).status).toBe(200);
  });

  test('begin with the head of the request: what is slow to come is held as well', async () => {
    let finish = (): void => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        finish = () => controller.close();
      },
    });
    const slow = harness.send(`/envd/${session.sandboxId}/process.Process/List`, {
      method: 'POST',
      headers: { ...bearer(session), 'content-type': 'application/proto' },
      body,
      duplex: 'half',
    } as RequestInit);
    await expect.poll(async () => refusal(await list())).toEqual(tooMany);
    harness.fake.onEnvd = undefined;
    finish();
    expect((await slow).status).toBe(200);
    expect((await list()).status).toBe(200);
  });

  test('have a stream among them until it begins', async () => {
    const { start } = Process.method;
    const opened = harness.rpc(session, start, { process: { cmd: '/bin/bash', args: ['-l', '-c', 'ls'] } });
    await expect.poll(() => held.length).toBe(1);
    expect(await refusal(await list())).toEqual(tooMany);
    held[0]?.writeHead(200, { 'content-type': 'application/connect+proto' });
    held[0]?.write(encodeEnvelope(0, new Uint8Array()));
    expect((await opened).status).toBe(200);
    expect((await list()).status).toBe(200);
    held[0]?.destroy();
  });

  test('that are refused have not used up their name', async () => {
    const first = list();
    await expect.poll(() => held.length).toBe(1);
    const headers = { 'idempotency-key': 'once' };
    const named = (): Promise<Response> => harness.rpc(session, Process.method.list, {}, { headers });
    expect((await named()).status).toBe(429);
    held[0]?.destroy();
    await first;
    expect((await named()).status).toBe(200);
    expect(await refusal(await named())).toEqual({ status: 409, code: 'duplicate_request' });
  });
});
