import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ProcessKind, processTag } from '../../../src/broker/process-mark.js';
import { Process, Signal } from '../../../src/wire/gen/process/process_pb.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import { json } from './support/fake-e2b.js';
import { everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
/** What is found out of a process is good for a while, so each test has its own. */
let subject: string;

beforeAll(async () => {
  harness = await startHarness();
});
beforeEach(() => {
  subject = `ann-${crypto.randomUUID()}`;
  harness.fake.processes = [];
  harness.fake.onEnvd = undefined;
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => harness.close());

const at = (pid: number) => ({ process: { selector: { case: 'pid' as const, value: pid } } });
const input = { input: { case: 'pty' as const, value: new TextEncoder().encode('ls\n') } };
const notFound = { status: 404, code: 'not_found' };
const denied = { status: 403, code: 'permission_denied' };

const type = (session: Session, pid: number) =>
  harness.rpc(session, Process.method.sendInput, { ...at(pid), input });
const connect = (session: Session, pid: number) => harness.rpc(session, Process.method.connect, at(pid));

async function runs(pid: number, kind: ProcessKind, user?: string): Promise<void> {
  harness.fake.processes = [{ pid, tag: await processTag(subject, user, kind) }];
}

/** A session in a sandbox that is there, with other grants. */
function inSandbox({ sandboxId }: Session, grants: Grant): Promise<Session> {
  harness.authorization = { subject, sandbox: { template: 'base' }, grants };
  return harness.mint({ sandboxId });
}

describe('a process that was just found to be one’s own', () => {
  test('is looked up again after a moment: its number can be another’s then', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const session = await harness.session(everything, subject);
    await runs(10, 'pty');
    expect((await type(session, 10)).status).toBe(200);
    harness.fake.processes = [{ pid: 10, tag: await processTag('eve', undefined, 'pty') }];
    vi.setSystemTime(Date.now() + 4_900);
    expect((await type(session, 10)).status).toBe(200);
    vi.setSystemTime(Date.now() + 200);
    expect(await refusal(await type(session, 10))).toEqual(notFound);
  });

  test('is not one’s own as another Linux user', async () => {
    const asRoot = await harness.session({ ...everything, user: 'root' }, subject);
    const asUser = await inSandbox(asRoot, { ...everything, user: 'user' });
    const asNobody = await inSandbox(asRoot, everything);
    await runs(10, 'pty', 'root');
    expect((await type(asRoot, 10)).status).toBe(200);
    for (const other of [asUser, asNobody]) expect(await refusal(await type(other, 10))).toEqual(notFound);
  });

  test('is none of another sandbox, not even once it ended', async () => {
    const one = await harness.session(everything, subject);
    const other = await harness.session(everything, subject);
    await runs(10, 'run');
    expect((await type(one, 10)).status).toBe(200);
    harness.fake.processes = [];
    expect((await refusal(await connect(other, 10))).code).toBe('not_found');
    expect(await refusal(await type(other, 10))).toEqual(notFound);
  });
});

test('a sandbox that has no list of processes has none of one’s own', async () => {
  const session = await harness.session(everything, subject);
  harness.fake.onEnvd = ({ path }, response) => {
    if (!path.endsWith('/List')) return false;
    json(response, 404, { code: 'not_found', message: 'no such procedure' });
    return true;
  };
  expect(await refusal(await type(session, 10))).toEqual(notFound);
});

describe('a terminal', () => {
  const uses = [
    ['is resized', Process.method.update, { pty: { size: { cols: 9, rows: 9 } } }],
    ['is killed', Process.method.sendSignal, { signal: Signal.SIGKILL }],
    ['has its input closed', Process.method.closeStdin, {}],
    ['is typed into', Process.method.sendInput, { input }],
  ] as const;

  test.each(uses)(
    '%s by who may write to terminals, not by who may watch them',
    async (_use, method, more) => {
      const session = await harness.session({ pty: 'write' }, subject);
      const watching = await inSandbox(session, { pty: 'read' });
      await runs(10, 'pty');
      expect((await harness.rpc(session, method, { ...at(10), ...more })).status).toBe(200);
      expect(await refusal(await harness.rpc(watching, method, { ...at(10), ...more }))).toEqual(denied);
      const list = await harness.rpc(watching, Process.method.list, {}, { codec: 'json' });
      expect(await list.json()).toMatchObject({ processes: [{ pid: 10 }] });
    },
  );

  test('is not seen by who may run commands alone', async () => {
    const session = await harness.session({ commands: 'run' }, subject);
    await runs(10, 'pty');
    expect(await refusal(await type(session, 10))).toEqual(denied);
    const list = await harness.rpc(session, Process.method.list, {}, { codec: 'json' });
    expect(await list.json()).toEqual({});
  });
});
