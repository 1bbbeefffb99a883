import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { exactKind, processTag } from '../../../src/broker/process-mark.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { Filesystem } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import { Process, Signal } from '../../../src/wire/gen/process/process_pb.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import { envdToken, json } from './support/fake-e2b.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;
let session: Session;

beforeAll(async () => {
  harness = await startHarness();
  session = await harness.mint();
});

beforeEach(() => {
  harness.fake.envd.length = 0;
  harness.fake.processes = [];
  harness.fake.onEnvd = undefined;
});

afterAll(() => harness.close());

const command = (line: string) => ({ process: { cmd: '/bin/bash', args: ['-l', '-c', line] }, stdin: false });
const terminal = { process: { cmd: '/bin/bash', args: ['-i', '-l'] }, pty: { size: { cols: 80, rows: 24 } } };
const at = (pid: number) => ({ process: { selector: { case: 'pid' as const, value: pid } } });
const typed = { case: 'pty' as const, value: new TextEncoder().encode('ls\n') };

describe('a call', () => {
  test.each(['proto', 'json'] as const)(
    'arrives decoded and encoded anew, as %s, with the real credential',
    async (codec) => {
      const response = await harness.rpc(session, Process.method.start, command('ls'), {
        codec,
        headers: {
          'connect-timeout-ms': '5000',
          'keepalive-ping-interval': '50',
          'x-access-token': 'mine',
          'e2b-sandbox-id': 'other',
          cookie: 'a=b',
          'x-forwarded-for': '1.1.1.1',
          'user-agent': 'page',
        },
      });
      expect(response.status).toBe(200);
      const [seen] = harness.fake.envd;
      expect(seen?.path).toBe('/process.Process/Start');
      expect(seen?.headers).toMatchObject({
        'content-type': `application/connect+${codec}`,
        'connect-protocol-version': '1',
        'connect-timeout-ms': '5000',
        'keepalive-ping-interval': '50',
        'accept-encoding': 'identity',
        'x-access-token': envdToken,
        'e2b-sandbox-id': session.sandboxId,
        'e2b-sandbox-port': '49983',
      });
      for (const name of ['cookie', 'x-forwarded-for', 'authorization', 'origin']) {
        expect(seen?.headers[name]).toBeUndefined();
      }
      expect(seen?.headers['user-agent']).not.toBe('page');
      expect(harness.fake.calls('process.Process/Start')).toMatchObject([
        { ...command('ls'), tag: await processTag('ann', undefined, 'run') },
      ]);
    },
  );

  test('loses the fields that are not known', async () => {
    const known = new TextEncoder().encode('/x');
    const body = new Uint8Array([0x0a, known.length, ...known, 0xfa, 0x3e, 0x02, 0x68, 0x69]);
    await harness.rpc(session, Filesystem.method.stat, {}, { body });
    expect(harness.fake.envd.at(-1)?.body).toEqual(Buffer.from([0x0a, known.length, ...known]));
    const text = new TextEncoder().encode('{"path":"/x","password":"p"}');
    await harness.rpc(session, Filesystem.method.stat, {}, { codec: 'json', body: text });
    expect(harness.fake.envd.at(-1)?.body.toString()).toBe('{"path":"/x"}');
  });

  test('runs as the pinned user, whatever the page says', async () => {
    const pinned = await harness.session({ ...everything, user: 'user' });
    harness.fake.envd.length = 0;
    await harness.rpc(pinned, Process.method.start, command('id'));
    expect(harness.fake.envd[0]?.headers.authorization).toBe(`Basic ${btoa('user:')}`);
  });

  // StartRequest { process { cmd: "x" } }
  const one = new Uint8Array([0x0a, 3, 0x0a, 1, 0x78]);
  test.each([
    ['two envelopes', new Uint8Array([...encodeEnvelope(0, one), ...encodeEnvelope(0, one)])],
    // An empty tag: what follows the envelope could be taken for a part of the message.
    ['more than its envelope', new Uint8Array([...encodeEnvelope(0, one), 0x1a, 0])],
    ['a compressed envelope', encodeEnvelope(1, one)],
    ['an end of stream', encodeEnvelope(2, one)],
    ['half an envelope', encodeEnvelope(0, one).subarray(0, 6)],
    ['nothing', new Uint8Array()],
    ['what is no message', encodeEnvelope(0, new Uint8Array([0xff, 0xff]))],
  ])('of %s is refused', async (_name, body) => {
    const response = await harness.rpc(
      session,
      Process.method.start,
      {},
      { body: body as Uint8Array<ArrayBuffer> },
    );
    expect(await refusal(response)).toEqual({ status: 200, code: 'invalid_argument' });
    expect(harness.fake.envd).toEqual([]);
  });

  test.each([
    ['application/grpc', 'start'],
    ['application/grpc-web+proto', 'start'],
    ['application/proto', 'start'],
    ['application/connect+proto', 'list'],
    ['application/proto; encoding=x', 'list'],
    ['text/plain', 'list'],
    ['', 'list'],
  ] as const)('as %j to %s is refused', async (type, name) => {
    const response = await harness.rpc(
      session,
      Process.method[name],
      {},
      { headers: { 'content-type': type } },
    );
    expect(await refusal(response)).toEqual({ status: 415, code: 'unsupported_media_type' });
    expect(harness.fake.envd).toEqual([]);
  });

  test.each(['content-encoding', 'connect-content-encoding'])('with %s is refused', async (name) => {
    const response = await harness.rpc(session, Process.method.list, {}, { headers: { [name]: 'gzip' } });
    expect(await refusal(response)).toEqual({ status: 415, code: 'unsupported_media_type' });
    expect(harness.fake.envd).toEqual([]);
  });

  test.each([
    'process.Process/StreamInput',
    'filesystem.Filesystem/CreateWatcher',
    'filesystem.Filesystem/Compose',
    'process.Process/start',
    'grpc.reflection/List',
    'toString.constructor/x',
  ])('of %s is not routed', async (procedure) => {
    const response = await harness.send(`/envd/${session.sandboxId}/${procedure}`, {
      method: 'POST',
      headers: { ...bearer(session), 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await refusal(response)).toEqual({ status: 404, code: 'route_not_found' });
    expect(harness.fake.envd).toEqual([]);
  });

  test('of too much is refused', async () => {
    const body = new Uint8Array(1024 * 1024 + 65 * 1024);
    const response = await harness.rpc(session, Process.method.list, {}, { body });
    expect(await refusal(response)).toEqual({ status: 413, code: 'body_too_large' });
  });

  test.each(['0', '-1', '1e3', '12345678901', ''])('with a time limit of %j is refused', async (value) => {
    const headers = { 'connect-timeout-ms': value };
    const response = await harness.rpc(session, Process.method.start, command('ls'), { headers });
    expect(await refusal(response)).toEqual({ status: 200, code: 'invalid_argument' });
    expect(harness.fake.envd).toEqual([]);
  });

  test.each([
    ['0', '5'],
    ['9999', '300'],
    ['-1', undefined],
    ['x', undefined],
  ])('with a ping interval of %s sends %s', async (value, sent) => {
    await harness.rpc(session, Process.method.start, command('ls'), {
      headers: { 'keepalive-ping-interval': value },
    });
    expect(harness.fake.envd[0]?.headers['keepalive-ping-interval']).toBe(sent);
  });

  test('that a browser sends again is done once', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    expect((await harness.rpc(session, Process.method.start, command('ls'), { headers })).status).toBe(200);
    const again = await harness.rpc(session, Process.method.start, command('ls'), { headers });
    expect(await refusal(again)).toEqual({ status: 409, code: 'duplicate_request' });
    expect(harness.fake.calls('process.Process/Start')).toHaveLength(1);
    const other = await harness.session(everything, 'bob');
    expect((await harness.rpc(other, Process.method.start, command('ls'), { headers })).status).toBe(200);
  });
});

describe('a grant', () => {
  const refusedStart = async (grants: Grant, message: Record<string, unknown>) => {
    const limited = await harness.session(grants);
    harness.fake.envd.length = 0;
    const response = await harness.rpc(limited, Process.method.start, message);
    const result = await refusal(response);
    expect(harness.fake.envd).toEqual([]);
    return result;
  };
  const denied = { status: 200, code: 'permission_denied' };

  test('of nothing starts nothing and lists nothing', async () => {
    expect(await refusedStart({}, command('ls'))).toEqual(denied);
    expect(await refusedStart({}, terminal)).toEqual(denied);
    const limited = await harness.session({ files: everything.files ?? [] });
    const list = await harness.rpc(limited, Process.method.list, {});
    expect(await refusal(list)).toEqual({ status: 403, code: 'permission_denied' });
  });

  test('of commands starts no terminal, and of terminals no commands', async () => {
    expect(await refusedStart({ commands: 'run' }, terminal)).toEqual(denied);
    expect(await refusedStart({ pty: 'write' }, command('ls'))).toEqual(denied);
    expect(await refusedStart({ pty: 'read' }, terminal)).toEqual(denied);
  });

  test('of exact commands starts these, exactly', async () => {
    const limited = await harness.session({ commands: ['npm test'] });
    harness.fake.envd.length = 0;
    expect((await harness.rpc(limited, Process.method.start, command('npm test'))).status).toBe(200);
    expect(harness.fake.calls('process.Process/Start')).toMatchObject([
      { tag: await processTag('ann', undefined, await exactKind({ command: 'npm test' })) },
    ]);
  });

  test.each([
    ['another command', command('npm test; id')],
    ['more arguments', { process: { cmd: '/bin/bash', args: ['-l', '-c', 'npm test', 'x'] } }],
    ['other flags', { process: { cmd: '/bin/bash', args: ['-i', '-c', 'npm test'] } }],
    ['another shell', { process: { cmd: '/tmp/bash', args: ['-l', '-c', 'npm test'] } }],
    ['the command itself as the program', { process: { cmd: 'npm test', args: [] } }],
    ['variables', { process: { ...command('npm test').process, envs: { PATH: '/tmp' } } }],
    ['a directory', { process: { ...command('npm test').process, cwd: '/tmp' } }],
    ['a terminal', { ...command('npm test'), pty: { size: { cols: 1, rows: 1 } } }],
  ])('of exact commands does not start %s', async (_name, message) => {
    expect(await refusedStart({ commands: ['npm test'] }, message)).toEqual(denied);
  });
});

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

describe('what envd says', () => {
  test('is passed on with its Connect code and words', async () => {
    harness.fake.onEnvd = (_, response) => {
      json(response, 409, {
        code: 'already_exists',
        message: 'directory already exists: /x',
        details: [{ type: 'secret' }],
      });
      return true;
    };
    const response = await harness.rpc(session, Filesystem.method.makeDir, { path: '/x' });
    expect(response.status).toBe(409);
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ code: 'already_exists', message: 'directory already exists: /x' });
    expect(Object.keys(body).sort()).toEqual(['code', 'message', 'requestId']);
  });

  test.each([
    [
      502,
      { sandboxId: 'i1', message: 'port is not open', port: 49983, code: 502 },
      502,
      'upstream_unavailable',
    ],
    [401, { code: 401, message: 'unauthorized access, envd-secret-token' }, 502, 'upstream_unavailable'],
    [403, { message: 'internal' }, 502, 'upstream_unavailable'],
    [429, { message: 'internal' }, 429, 'rate_limited'],
    [409, { message: 'internal' }, 503, 'service_busy'],
    [500, 'goroutine 7 [running]: internal', 502, 'upstream_unavailable'],
    [404, '<html>internal</html>', 502, 'upstream_unavailable'],
  ])('%i %j becomes %i %s, without its words', async (status, body, expected, code) => {
    harness.fake.onEnvd = (_, response) => {
      response.writeHead(status, { 'content-type': 'text/html', 'retry-after': '7' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
      return true;
    };
    const response = await harness.rpc(session, Filesystem.method.stat, { path: '/x' });
    const text = await response.clone().text();
    expect(await refusal(response)).toEqual({ status: expected, code });
    expect(text).not.toMatch(/internal|goroutine|secret/);
    expect(response.headers.get('retry-after')).toBe(
      code === 'rate_limited' || code === 'service_busy' ? '7' : null,
    );
  });

  test.each([
    ['refuses its token', 401, {}, [0, 1]],
    // Why is asked as well.
    ['is not there', 502, { sandboxId: 'i1' }, [1, 4]],
  ])('that it %s makes the broker ask anew, but not at each call', async (_why, status, body, asked) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const own = await harness.session(everything);
    harness.fake.control.length = 0;
    harness.fake.onEnvd = (_, response) => {
      json(response, status, body);
      return true;
    };
    const call = () => harness.rpc(own, Filesystem.method.stat, { path: '/x' });
    for (let count = 0; count < 5; count++) await call();
    expect(harness.fake.control).toHaveLength(asked[0] as number);
    vi.setSystemTime(Date.now() + 5_001);
    for (let count = 0; count < 5; count++) await call();
    expect(harness.fake.control).toHaveLength(asked[1] as number);
    vi.useRealTimers();
  });

  test('is not asked for of a sandbox that was just found to be none', async () => {
    // Another broker with the same key, which has not heard of the sandbox.
    const other = await startHarness();
    vi.useFakeTimers({ toFake: ['Date'] });
    for (const asked of [1, 2]) {
      for (let count = 0; count < 5; count++) {
        const response = await other.rpc(session, Filesystem.method.stat, { path: '/x' });
        expect(await refusal(response)).toEqual({ status: 404, code: 'sandbox_not_found' });
      }
      expect(other.fake.control).toHaveLength(asked);
      vi.setSystemTime(Date.now() + 5_001);
    }
    vi.useRealTimers();
    await other.close();
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
    harness.fake.onEnvd = (_, response) => {
      response.writeHead(status, { location: `${harness.fake.url}/health` }).end();
      return true;
    };
    const response = await harness.rpc(session, Filesystem.method.stat, { path: '/x' });
    expect(await refusal(response)).toEqual({ status: 502, code: 'upstream_unavailable' });
    const file = await harness.send(`/envd/${session.sandboxId}/files?path=/x`, { headers: bearer(session) });
    expect(await refusal(file)).toEqual({ status: 502, code: 'upstream_unavailable' });
    expect(harness.fake.envd).toHaveLength(2);
  });

  test('an answer of another kind is no answer', async () => {
    harness.fake.onEnvd = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<script>');
      return true;
    };
    const response = await harness.rpc(session, Filesystem.method.stat, { path: '/x' });
    expect(await refusal(response)).toEqual({ status: 502, code: 'upstream_unavailable' });
  });

  test('nothing at all is upstream_unavailable', async () => {
    harness.fake.onEnvd = (_, response) => {
      response.destroy();
      return true;
    };
    const response = await harness.rpc(session, Filesystem.method.stat, { path: '/x' });
    expect(await refusal(response)).toEqual({ status: 502, code: 'upstream_unavailable' });
  });
});
