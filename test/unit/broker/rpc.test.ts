import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exactKind, processTag } from '../../../src/broker/process-mark.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { Filesystem } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import { envdToken } from './support/fake-e2b.js';
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
