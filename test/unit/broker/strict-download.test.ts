import type { ServerResponse } from 'node:http';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { Signal, StartResponseSchema } from '../../../src/wire/gen/process/process_pb.js';
import type { Session } from '../../../src/wire/session.js';
import { bearer, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;

beforeEach(async () => {
  harness = await startHarness();
  session = await harness.session({
    files: [{ op: 'read', prefix: '/data' }],
    strict: true,
    user: 'worker',
  });
});

afterEach(() => harness.close());

/** A program that says this, and goes on. */
function programSays(...events: object[]): void {
  harness.fake.onEnvd = ({ path }, response: ServerResponse) => {
    if (path !== '/process.Process/Start') return false;
    response.writeHead(200, { 'content-type': 'application/connect+proto' });
    for (const value of [{ case: 'start', value: { pid: 41 } }, ...events]) {
      const message = create(StartResponseSchema, { event: { event: value } } as never);
      response.write(encodeEnvelope(0, toBinary(StartResponseSchema, message)));
    }
    return true;
  };
}

const stdout = (text: string): object => ({
  case: 'data',
  value: { output: { case: 'stdout', value: new TextEncoder().encode(text) } },
});
const download = (): Promise<Response> =>
  harness.send(`/envd/${session.sandboxId}/files?path=/data/a`, { headers: bearer(session) });
const signals = (): unknown[] => harness.fake.calls('process.Process/SendSignal');
const killed = {
  signal: Signal.SIGKILL,
  process: { selector: { case: 'pid', value: 41 } },
};

describe('a program that is to read a file', () => {
  test.each([
    ['no numbers', 'cannot find it\n'],
    ['fewer numbers', '5 1700000000 0\n'],
    ['numbers below zero', '5 1700000000 0 -5\n'],
    ['numbers that are too large', '99999999999999999999 1700000000 0 5\n'],
    ['words before the numbers', 'of 5 1700000000 0 5\n'],
    ['words after the numbers', '5 1700000000 0 5 bytes\n'],
    ['no line', 'x'.repeat(129)],
  ])('and says %s is ended, and the page is told that it failed', async (_, words) => {
    programSays(stdout(words));
    expect(await refusal(await download())).toEqual({ status: 502, code: 'upstream_unavailable' });
    await expect.poll(signals).toMatchObject([killed]);
  });

  test('and whose words break off is ended', async () => {
    programSays(stdout('5 17'));
    const { onEnvd } = harness.fake;
    harness.fake.onEnvd = (seen, response) => {
      const isStart = onEnvd?.(seen, response) ?? false;
      if (isStart) setTimeout(() => response.destroy(), 20);
      return isStart;
    };
    expect(await refusal(await download())).toEqual({ status: 502, code: 'upstream_unavailable' });
    await expect.poll(signals).toMatchObject([killed]);
  });

  test.each([
    [0, { status: 502, code: 'upstream_unavailable' }],
    [71, { status: 404, code: 'file_not_found' }],
  ])(
    'and ended by itself with %i is let be: its number can be another’s by now',
    async (exitCode, expected) => {
      programSays({ case: 'end', value: { exitCode, exited: true } });
      const { onEnvd } = harness.fake;
      harness.fake.onEnvd = (seen, response) => {
        const isStart = onEnvd?.(seen, response) ?? false;
        if (isStart) response.end(encodeEnvelope(2, new TextEncoder().encode('{}')));
        return isStart;
      };
      expect(await refusal(await download())).toEqual(expected);
      // Nothing else is under way once this has been answered.
      await harness.send(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
      expect(signals()).toEqual([]);
    },
  );

  test('and says what it has gives the file', async () => {
    programSays(stdout('5 -60 0 5\n'), stdout('hello'));
    const response = await download();
    expect(response.headers.get('last-modified')).toBe('Wed, 31 Dec 1969 23:59:00 GMT');
    expect(await response.text()).toBe('hello');
  });
});
