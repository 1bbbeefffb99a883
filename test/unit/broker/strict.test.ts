import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Filesystem } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import { type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness({ limits: { streams: 2, mintsPerMinute: 1000 } });
});

afterEach(() => harness.close());

describe('strict mode', () => {
  const grants = {
    files: [{ op: 'read' as const, prefix: '/data' }],
    strict: true,
    user: 'worker',
  };
  const { listDir } = Filesystem.method;
  const isStart = (path: string): boolean => path === `/process.Process/${Process.method.start.name}`;

  test('holds what as many programs tell as there may be streams, and counts a call before it takes its name', async () => {
    const { fake } = harness;
    const held: (() => void)[] = [];
    fake.onEnvd = ({ path }, response) => {
      if (isStart(path)) held.push(() => response.destroy());
      return isStart(path);
    };
    const session = await harness.session(grants);
    const list = (key: string): Promise<Response> =>
      harness.rpc(session, listDir, { path: '/data', depth: 1 }, { headers: { 'idempotency-key': key } });
    const first = [list('one'), list('two')];
    await expect.poll(() => held.length).toBe(2);
    expect(await refusal(await list('three'))).toEqual({ status: 429, code: 'too_many_streams' });
    for (const release of held.splice(0)) release();
    for (const answer of first) expect((await answer).status).toBe(502);
    const again = list('three');
    await expect.poll(() => held.length).toBe(1);
    for (const release of held) release();
    expect((await again).status).toBe(502);
  });

  test('lists no deeper than a program can be told', async () => {
    const session = await harness.session(grants);
    await harness.rpc(session, listDir, { path: '/data', depth: 2 ** 32 - 1 });
    const [start] = harness.fake.calls('process.Process/Start') as { process: { args: string[] } }[];
    expect(start?.process.args).toContain('2147483647');
  });
});
