import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { processTag } from '../../../src/broker/process-mark.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import type { Session } from '../../../src/wire/session.js';
import { everything, type Harness, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;
/** The stream of a process that envd has open. */
let upstream: ServerResponse;
/** What envd says at once. */
let first: Uint8Array;

// StartResponse { event { start { pid: 7 } } }, and { event { keepalive {} } }
const started = encodeEnvelope(0, new Uint8Array([10, 4, 10, 2, 8, 7]));
const alive = encodeEnvelope(0, new Uint8Array([10, 2, 34, 0]));

beforeAll(async () => {
  harness = await startHarness();
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const subject = `ann-${crypto.randomUUID()}`;
  session = await harness.session(everything, subject);
  first = started;
  harness.fake.processes = [{ pid: 7, tag: await processTag(subject, undefined, 'run') }];
  harness.fake.envd.length = 0;
  harness.fake.onEnvd = ({ path, headers }, response) => {
    if (!/Start|Connect/.test(path)) return false;
    upstream = response;
    response.writeHead(200, { 'content-type': String(headers['content-type']) });
    response.write(first);
    return true;
  };
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => harness.close());

const process = { selector: { case: 'pid' as const, value: 7 } };
const looked = () => harness.fake.calls('process.Process/List').length;
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

async function type(): Promise<void> {
  const input = { input: { case: 'stdin' as const, value: new Uint8Array(1) } };
  const response = await harness.rpc(session, Process.method.sendInput, { process, input });
  expect(response.status).toBe(200);
}

async function open(codec: 'proto' | 'json' = 'proto') {
  const message = { process: { cmd: 'cat', args: [] } };
  const response = await harness.rpc(session, Process.method.start, message, { codec });
  const reader = response.body?.getReader();
  await reader?.read();
  return async (piece: Uint8Array) => {
    upstream.write(piece);
    await reader?.read();
  };
}

describe('a process that one started and listens to', () => {
  test.each(['proto', 'json'] as const)(
    'is typed into without a look-up while it prints, as %s',
    async (codec) => {
      if (codec === 'json')
        first = encodeEnvelope(0, new TextEncoder().encode('{"event":{"start":{"pid":7}}}'));
      const print = await open(codec);
      await type();
      for (let count = 0; count < 3; count++) {
        later(4_000);
        await print(alive);
      }
      later(4_000);
      await type();
      expect(looked()).toBe(0);
      later(4_000);
      await type();
      expect(looked()).toBe(1);
    },
  );

  test('is known by its first message, also where others come with it', async () => {
    first = Buffer.concat([started, alive, alive.subarray(0, 6)]);
    await open();
    await type();
    expect(looked()).toBe(0);
  });

  test.each([
    ['comes in two pieces', started.subarray(0, 9), started.subarray(9)],
    ['comes in two pieces, the first of which tells no length', started.subarray(0, 3), started.subarray(3)],
    ['is of something else', alive, started],
    ['is no message', encodeEnvelope(0, new Uint8Array([0xff])), started],
  ])('is looked up where its first message %s', async (_what, one, two) => {
    first = one;
    const print = await open();
    await print(two);
    await type();
    expect(looked()).toBe(1);
  });

  test('is not taken for another one of the same stream', async () => {
    const print = await open();
    // What a program prints can look like a start.
    await print(encodeEnvelope(0, new Uint8Array([10, 4, 10, 2, 8, 9])));
    harness.fake.processes = [];
    const other = { selector: { case: 'pid' as const, value: 9 } };
    const response = await harness.rpc(session, Process.method.closeStdin, { process: other });
    expect(response.status).toBe(404);
  });
});

test('a process that one came back to is typed into without a look-up while it prints', async () => {
  const response = await harness.rpc(session, Process.method.connect, { process });
  const reader = response.body?.getReader();
  await reader?.read();
  for (let count = 0; count < 3; count++) {
    later(4_000);
    upstream.write(alive);
    await reader?.read();
    await type();
  }
  expect(looked()).toBe(1);
  later(5_001);
  await type();
  expect(looked()).toBe(2);
});
