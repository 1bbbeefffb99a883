import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exactKind, processTag } from '../../../src/broker/process-mark.js';
import { Process, Signal } from '../../../src/wire/gen/process/process_pb.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import { everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});

afterAll(() => harness.close());

const at = (pid: number) => ({ process: { selector: { case: 'pid' as const, value: pid } } });
const typed = { case: 'pty' as const, value: new TextEncoder().encode('ls\n') };

describe('processes', () => {
  const controls = [
    ['SendInput', Process.method.sendInput, { input: { input: typed } }],
    ['SendSignal', Process.method.sendSignal, { signal: Signal.SIGKILL }],
    ['Update', Process.method.update, { pty: { size: { cols: 9, rows: 9 } } }],
    ['CloseStdin', Process.method.closeStdin, {}],
    ['Connect', Process.method.connect, {}],
  ] as const;
  let mine: Session;

  beforeEach(async () => {
    // Each test has its own subject, as what is found out of a process is good for a while.
    const subject = `ann-${crypto.randomUUID()}`;
    mine = await harness.session(everything, subject);
    harness.fake.processes = [
      { pid: 10, tag: await processTag(subject, undefined, 'run') },
      { pid: 11, tag: await processTag(subject, undefined, 'pty') },
      { pid: 12, tag: await processTag('eve', undefined, 'run') },
      { pid: 13, tag: 'e2b-edge' },
      { pid: 14 },
      { pid: 15, tag: `${await processTag(subject, undefined, 'run')}x` },
    ];
    harness.fake.envd.length = 0;
  });

  test('of one’s own are listed, and no others, without marks', async () => {
    for (const codec of ['proto', 'json'] as const) {
      const response = await harness.rpc(mine, Process.method.list, {}, { codec });
      const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
      expect(text).not.toContain('e2b-edge');
      if (codec === 'json') {
        const { processes } = JSON.parse(text) as { processes: { pid: number }[] };
        expect(processes.map(({ pid }) => pid)).toEqual([10, 11]);
      }
    }
  });

  test.each(controls)('of one’s own take %s', async (name, method, message) => {
    const response = await harness.rpc(mine, method, { ...at(11), ...message });
    expect(response.status).toBe(200);
    expect(harness.fake.calls(`process.Process/${name}`)).toHaveLength(1);
  });

  test.each(controls)(
    'of others do not take %s, and are as if they were not',
    async (name, method, message) => {
      for (const pid of [12, 13, 14, 15, 99]) {
        const response = await harness.rpc(mine, method, { ...at(pid), ...message });
        const status = name === 'Connect' ? 200 : 404;
        expect(await refusal(response)).toEqual({ status, code: 'not_found' });
      }
      expect(harness.fake.calls(`process.Process/${name}`)).toEqual([]);
    },
  );

  test.each(controls)('are not found by a mark with %s', async (name, method, message) => {
    const selector = { case: 'tag' as const, value: await processTag('eve', undefined, 'run') };
    const response = await harness.rpc(mine, method, { process: { selector }, ...message });
    expect((await refusal(response)).code).toBe('invalid_argument');
    expect((await refusal(await harness.rpc(mine, method, message))).code).toBe('invalid_argument');
    expect(harness.fake.calls(`process.Process/${name}`)).toEqual([]);
  });

  test('are looked up once while a terminal is typed into', async () => {
    for (let key = 0; key < 3; key++)
      await harness.rpc(mine, Process.method.sendInput, { ...at(11), input: { input: typed } });
    expect(harness.fake.calls('process.Process/SendInput')).toHaveLength(3);
    expect(harness.fake.calls('process.Process/List')).toHaveLength(1);
  });

  test('of the same subject as another Linux user are another’s', async () => {
    const subject = `cat-${crypto.randomUUID()}`;
    harness.fake.processes = [{ pid: 10, tag: await processTag(subject, 'root', 'pty') }];
    for (const [user, found] of [
      ['root', true],
      ['user', false],
      [undefined, false],
    ] as const) {
      const session = await harness.session({ ...everything, ...(user && { user }) }, subject);
      const typing = await harness.rpc(session, Process.method.sendInput, {
        ...at(10),
        input: { input: typed },
      });
      expect(typing.status).toBe(found ? 200 : 404);
      const list = await harness.rpc(session, Process.method.list, {}, { codec: 'json' });
      expect(await list.text()).toBe(found ? '{"processes":[{"config":{"cmd":"x"},"pid":10}]}' : '{}');
    }
  });

  test('of a wider session are out of a narrower one’s reach', async () => {
    const narrow = async (grants: Grant) => {
      const subject = `bob-${crypto.randomUUID()}`;
      harness.fake.processes = [
        { pid: 10, tag: await processTag(subject, undefined, 'run') },
        { pid: 11, tag: await processTag(subject, undefined, 'pty') },
        { pid: 12, tag: await processTag(subject, undefined, await exactKind({ command: 'ls' })) },
      ];
      const limited = await harness.session(grants, subject);
      const reach = async (method: typeof Process.method.sendInput | typeof Process.method.connect) => {
        const results = [];
        for (const pid of [10, 11, 12]) {
          const response = await harness.rpc(limited, method, {
            ...at(pid),
            ...(method.name === 'SendInput' && { input: { input: typed } }),
          });
          results.push(response.status === 200 && !(await response.text()).includes('permission_denied'));
        }
        return results;
      };
      return { type: await reach(Process.method.sendInput), watch: await reach(Process.method.connect) };
    };
    expect(await narrow({ commands: ['ls'] })).toEqual({
      type: [false, false, false],
      watch: [false, false, true],
    });
    expect(await narrow({ pty: 'read' })).toEqual({
      type: [false, false, false],
      watch: [false, true, false],
    });
    expect(await narrow({ pty: 'write' })).toEqual({
      type: [false, true, false],
      watch: [false, true, false],
    });
    expect(await narrow({ commands: 'run' })).toEqual({
      type: [true, false, true],
      watch: [true, false, true],
    });
  });
});
