import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { processTag } from '../../../src/broker/process-mark.js';
import { Filesystem } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import type { Session } from '../../../src/wire/session.js';
import { everything, type Harness, refusal, startHarness } from './support/harness.js';

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

const stat = (headers: Record<string, string> = {}, of = session) =>
  harness.rpc(of, Filesystem.method.stat, { path: '/x' }, { headers });
const start = (message: Record<string, unknown>, of = session) =>
  harness.rpc(of, Process.method.start, message);

describe('the name of a request', () => {
  test.each(['', 'a b', '!a', 'a!', 'ä', 'x'.repeat(65)])('%j is none', async (key) => {
    expect(await refusal(await stat({ 'idempotency-key': key }))).toEqual({
      status: 400,
      code: 'invalid_argument',
    });
    expect(harness.fake.envd).toEqual([]);
  });

  test.each(['a', 'A-z_0', 'x'.repeat(64)])('%j is good once', async (key) => {
    expect((await stat({ 'idempotency-key': key })).status).toBe(200);
    expect((await refusal(await stat({ 'idempotency-key': key }))).code).toBe('duplicate_request');
  });

  test('is not taken by a request that was refused', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const limited = await harness.session({ files: [{ op: 'read', prefix: '/x' }] });
    const other = await harness.rpc(limited, Filesystem.method.stat, { path: '/y' }, { headers });
    expect((await refusal(other)).code).toBe('permission_denied');
    expect((await stat(headers, limited)).status).toBe(200);
  });
});

describe('an answer', () => {
  test.each(['proto', 'json'] as const)('has the content type of its call, as %s', async (codec) => {
    const unary = await harness.rpc(session, Filesystem.method.stat, { path: '/x' }, { codec });
    expect(unary.headers.get('content-type')).toBe(`application/${codec}`);
    const filtered = await harness.rpc(session, Process.method.list, {}, { codec });
    expect(filtered.headers.get('content-type')).toBe(`application/${codec}`);
    const message = { process: { cmd: 'ls', args: [] } };
    const stream = await harness.rpc(session, Process.method.start, message, { codec });
    expect(stream.headers.get('content-type')).toBe(`application/connect+${codec}`);
    expect((await stream.arrayBuffer()).byteLength).toBeGreaterThan(10);
  });
});

describe('a call of strict mode', () => {
  test('counts as a stream while its program runs, and others do not', async () => {
    const own = await startHarness({ limits: { mintsPerMinute: 1000, streams: 1 } });
    const plain = await own.session(everything);
    const strict = await own.session({ ...everything, strict: true, user: 'user' });
    const look = (of: Session) => own.rpc(of, Filesystem.method.stat, { path: '/x' });
    // What the fake answers is no program's end: the call fails, and makes room.
    for (let count = 0; count < 3; count++) expect((await look(strict)).status).not.toBe(429);
    expect(own.fake.calls('process.Process/Start')).not.toEqual([]);
    expect(own.fake.calls('filesystem.Filesystem/Stat')).toEqual([]);
    own.fake.onEnvd = ({ path, headers }, response) => {
      if (!path.endsWith('/Start')) return false;
      response.writeHead(200, { 'content-type': String(headers['content-type']) });
      response.write(new Uint8Array(5));
      return true;
    };
    const held = [];
    for (const of of [plain, strict]) {
      const stream = await own.rpc(of, Process.method.start, { process: { cmd: 'cat', args: [] } });
      expect(stream.status).toBe(200);
      held.push(stream);
      expect((await own.rpc(of, Process.method.list, {})).status).toBe(200);
    }
    expect((await look(plain)).status).toBe(200);
    expect(await refusal(await look(strict))).toEqual({ status: 429, code: 'too_many_streams' });
    for (const stream of held) await stream.body?.cancel();
    await own.close();
  });
});

describe('what a call says of itself', () => {
  test('may be that it is not encoded', async () => {
    expect((await stat({ 'content-encoding': 'identity' })).status).toBe(200);
    expect((await stat({ 'connect-content-encoding': 'identity' })).status).toBe(200);
  });

  test.each(['5x', 'x5', '05'])('is no time limit: %s', async (value) => {
    const answer = await stat({ 'connect-timeout-ms': value });
    expect(await refusal(answer)).toEqual({ status: 400, code: 'invalid_argument' });
  });

  test('is not made up: without a time limit or an interval none is sent', async () => {
    await stat({ 'keepalive-ping-interval': '50x' });
    expect(harness.fake.envd[0]?.headers).not.toHaveProperty('connect-timeout-ms');
    expect(harness.fake.envd[0]?.headers).not.toHaveProperty('keepalive-ping-interval');
  });
});

test('a long list of processes is passed on', async () => {
  const subject = `ann-${crypto.randomUUID()}`;
  const own = await harness.session(everything, subject);
  const tag = await processTag(subject, undefined, 'run');
  harness.fake.processes = Array.from({ length: 500 }, (_, pid) => ({ pid: pid + 1, tag }));
  const response = await harness.rpc(own, Process.method.list, {}, { codec: 'json' });
  expect(((await response.json()) as { processes: unknown[] }).processes).toHaveLength(500);
});

test('a stream that is answered as something else is none', async () => {
  harness.fake.onEnvd = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/proto' }).end();
    return true;
  };
  const response = await start({ process: { cmd: 'ls' } });
  expect(await refusal(response)).toEqual({ status: 502, code: 'upstream_unavailable' });
});

test('a page that goes takes its call with it', async () => {
  const gone = new AbortController();
  let upstreamClosed = false;
  harness.fake.onEnvd = (_, response) => {
    response.on('close', () => {
      upstreamClosed = true;
    });
    gone.abort();
    return true;
  };
  const answer = await harness.send(`/envd/${session.sandboxId}/filesystem.Filesystem/Stat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${session.token}`, 'content-type': 'application/json' },
    body: '{"path":"/x"}',
    signal: gone.signal,
  });
  expect(await refusal(answer)).toEqual({ status: 499, code: 'canceled' });
  while (!upstreamClosed) await new Promise((resolve) => setImmediate(resolve));
});

describe('a start', () => {
  test.each([{}, { process: { cmd: '' } }, { process: { cmd: '' }, pty: { size: { cols: 1, rows: 1 } } }])(
    'of nothing is refused: %j',
    async (message) => {
      expect(await refusal(await start(message))).toEqual({ status: 200, code: 'invalid_argument' });
      expect(harness.fake.envd).toEqual([]);
    },
  );

  test('of an exact command takes the shell’s own flags', async () => {
    const limited = await harness.session({ commands: ['ls'] });
    harness.fake.envd.length = 0;
    for (const args of [['-l', '-s', 'ls'], ['-l', '-c'], ['-l', '-c', ''], ['ls']]) {
      const answer = await start({ process: { cmd: '/bin/bash', args } }, limited);
      expect(await refusal(answer)).toEqual({ status: 200, code: 'permission_denied' });
    }
    expect(harness.fake.envd).toEqual([]);
  });
});

test('who may have no processes is told that, and not whether there are some', async () => {
  const limited = await harness.session({ files: everything.files ?? [] });
  const process = { selector: { case: 'pid' as const, value: 10 } };
  const signal = await harness.rpc(limited, Process.method.sendSignal, { process, signal: 9 });
  expect(await refusal(signal)).toEqual({ status: 403, code: 'permission_denied' });
});
