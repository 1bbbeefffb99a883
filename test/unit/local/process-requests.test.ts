import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { envelope, run, sh, stream, unary } from './support/rpc.js';
import { type Created, createSandbox, envdHeaders, startServer } from './support/server.js';

let server: LocalServer;
let sandbox: Created;

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server);
});

const exec = (request: unknown, headers?: Record<string, string>) =>
  run(server, sandbox, request, headers ? { headers } : {});
const call = (method: string, body: unknown, headers: Record<string, string> = {}) =>
  unary(server, sandbox, `process.Process/${method}`, body, { headers });
const send = (method: string, body: BodyInit, headers: Record<string, string>): Promise<Response> =>
  fetch(`${server.sandboxUrl}/process.Process/${method}`, {
    method: 'POST',
    headers: { ...envdHeaders(sandbox), ...headers },
    body,
  });
const pty = { size: { cols: 80, rows: 24 } };

async function startsOne(): Promise<void> {
  expect((await exec(sh('echo well'))).stdout).toBe('well\n');
}

describe('Connect-Timeout-Ms', () => {
  const over = [{ code: 'deadline_exceeded' }, undefined];
  const refused = [{ code: 'invalid_argument' }, undefined];
  const fine = [undefined, 'exit status 0'];
  test.each([
    ['0', over],
    ['-5', over],
    ['abc', refused],
    ['1.5', refused],
    ['0x10', refused],
    ['12345678901', refused],
    ['', fine],
    ['+60000', fine],
    // Longer than Node's timers go.
    ['9999999999', fine],
  ])('%j', async (value, [error, status]) => {
    const { streamEnd, end } = await exec(sh('true'), { 'connect-timeout-ms': value });
    expect(streamEnd).toMatchObject(error ? { error } : {});
    expect(streamEnd.error === undefined).toBe(error === undefined);
    expect(end?.status).toBe(status);
  });

  test('holds for unary calls too', async () => {
    const { pid } = await exec(sh('true'));
    for (const [value, status] of [
      ['0', 504],
      ['-1', 504],
      ['x', 400],
      ['5000', 404],
    ] as const) {
      const body = { process: { pid }, signal: 9 };
      expect((await call('SendSignal', body, { 'connect-timeout-ms': value })).status).toBe(status);
    }
  });
});

describe.each([
  ['pipes', undefined],
  ['a terminal', pty],
])('for %s', (_name, terminal) => {
  const start = (process: unknown) => exec({ process, stdin: false, ...(terminal && { pty: terminal }) });

  test.each([
    [{ cmd: 'ec\0ho' }, 'argument contains a NUL byte'],
    [{ cmd: 'echo', args: ['a', 'b\0c'] }, 'argument contains a NUL byte'],
    [{ cmd: 'env', envs: { A: 'b\0c' } }, 'environment variable contains a NUL byte'],
    [{ cmd: 'env', envs: { 'A\0B': 'c' } }, 'environment variable contains a NUL byte'],
    [{ cmd: 'pwd', cwd: '/t\0mp' }, 'NUL byte'],
    [{ cmd: 'true', args: ['x'.repeat(131_072)] }, 'argument list too long'],
    [{ cmd: 'true', args: Array.from({ length: 3000 }, () => 'x'.repeat(1000)) }, 'argument list too long'],
    [{ cmd: 'pwd', cwd: 'x'.repeat(300) }, 'file name too long'],
    [{ cmd: 'pwd', cwd: '/etc/passwd' }, 'not a directory'],
  ])('%.60j is refused', async (process, words) => {
    const { streamEnd, pid } = await start(process);
    expect(pid).toBeUndefined();
    expect(streamEnd.error.code).toBe('invalid_argument');
    expect(streamEnd.error.message).toContain(words);
    await startsOne();
  });

  test('arguments come as they are', async () => {
    const args = ['%s|', 'a b', '$x', '"', "'", '\\', '*', '', 'é', '--', '-n'];
    const { stdout, pty: output } = await start({ cmd: 'printf', args });
    expect(stdout + output).toBe('a b|$x|"|\'|\\|*||é|--|-n|');
    expect((await start({ cmd: 'test', args: ['-n', 'x'.repeat(131_071)] })).end.status).toBe(
      'exit status 0',
    );
  });

  test('variables come as they are', async () => {
    const envs = { 'A=B': 'c', ACCENT: 'é', LINES_: 'a b', EMPTY: '' };
    const { stdout, pty: output } = await start({
      cmd: '/bin/sh',
      args: ['-c', "tr '\\0' '\\n' </proc/self/environ"],
      envs,
    });
    const lines = (stdout + output).split(/\r?\n/);
    expect(lines).toEqual(expect.arrayContaining(['A=B=c', 'ACCENT=é', 'LINES_=a b', 'EMPTY=']));
  });

  test('ends by signal', async () => {
    for (const [signal, text] of [
      [6, 'aborted'],
      [11, 'segmentation fault'],
      [13, 'broken pipe'],
      [24, 'CPU time limit exceeded'],
      [31, 'bad system call'],
    ] as const) {
      const { end } = await start({ cmd: '/bin/sh', args: ['-c', `kill -${signal} $$`] });
      expect(end).toMatchObject({ exitCode: -1, status: `signal: ${text}`, error: `signal: ${text}` });
    }
  });
});

describe('sizes of a terminal', () => {
  test.each([
    [{}, '0 0'],
    [{ size: {} }, '0 0'],
    [{ size: { cols: 70_000, rows: 70_000 } }, '4464 4464'],
    [{ size: { cols: 4_294_967_295, rows: 1 } }, '1 65535'],
  ])('%j', async (size, rowsAndCols) => {
    expect((await exec({ ...(sh('stty size') as object), pty: size })).pty).toBe(`${rowsAndCols}\r\n`);
  });

  test.each([{ cols: -1 }, { cols: 4_294_967_296 }, { cols: 1.5 }, { cols: 'x' }])(
    '%j is refused',
    async (size) => {
      const { streamEnd } = await exec({ ...(sh('stty size') as object), pty: { size } });
      expect(streamEnd.error.code).toBe('invalid_argument');
    },
  );
});

describe('input', () => {
  test('of 10 MB arrives whole, in pieces and at once', async () => {
    const piece = Buffer.alloc(10 << 20, 'x');
    const events = await stream(server, sandbox, 'process.Process/Start', {
      process: { cmd: '/bin/sh', args: ['-c', 'sleep 0.3; wc -c'] },
    });
    const { pid } = (await events.next()).event.start;
    const body = { process: { pid }, input: { stdin: piece.toString('base64') } };
    const answers = await Promise.all([call('SendInput', body), call('SendInput', body)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await call('CloseStdin', { process: { pid } });
    const output = (await events.rest()).map(({ event }) => event.data?.stdout ?? '').join('');
    expect(Buffer.from(output, 'base64').toString()).toBe(`${2 * piece.length}\n`);
  });

  test('that nobody reads any more is a broken pipe, each time', async () => {
    const events = await stream(server, sandbox, 'process.Process/Start', {
      process: { cmd: '/bin/sh', args: ['-c', 'exec <&-; echo closed; sleep 300'] },
    });
    const { pid } = (await events.next()).event.start;
    await events.next();
    for (let i = 0; i < 3; i++) {
      const { body } = await call('SendInput', { process: { pid }, input: { stdin: 'eA==' } });
      expect(body.code).toBe('internal');
      expect(body.message).toMatch(/^error writing to stdin: .*: broken pipe$/);
    }
    expect((await call('CloseStdin', { process: { pid } })).status).toBe(200);
    expect((await call('SendSignal', { process: { pid }, signal: 9 })).status).toBe(200);
  });
});

describe('a malformed request', () => {
  const json = { 'content-type': 'application/json' };
  const streaming = { 'content-type': 'application/connect+json' };
  const ok = envelope(sh('true'));
  const head = (flags: number, length: number): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(5);
    bytes[0] = flags;
    new DataView(bytes.buffer).setUint32(1, length);
    return bytes;
  };

  test.each<[string, Uint8Array<ArrayBuffer>, string]>([
    ['nothing', new Uint8Array(), 'unimplemented'],
    ['two messages', new Uint8Array([...ok, ...ok]), 'unimplemented'],
    ['half a head', new Uint8Array(3), 'invalid_argument'],
    ['half a message', ok.slice(0, 20), 'invalid_argument'],
    ['an end of stream', head(2, 0), 'unimplemented'],
    ['a compressed message', envelopeWith(1, gzipSync('{}')), 'internal'],
    ['no JSON', envelopeWith(0, Buffer.from('{')), 'invalid_argument'],
    ['an array', envelopeWith(0, Buffer.from('[]')), 'invalid_argument'],
    ['a deep nest', envelopeWith(0, Buffer.from('['.repeat(1 << 20))), 'invalid_argument'],
    ['a message that is too large', head(0, (64 << 20) + 1), 'resource_exhausted'],
    ['4 GiB announced', head(0, 0xffff_ffff), 'resource_exhausted'],
  ])('%s', async (_name, body, code) => {
    const response = await send('Start', body, streaming);
    expect(response.status).toBe(200);
    const answer = Buffer.from(await response.arrayBuffer());
    expect(answer[0]).toBe(2);
    expect(JSON.parse(answer.subarray(5).toString('utf8')).error.code).toBe(code);
    await startsOne();
  });

  test.each<[string, BodyInit, Record<string, string>, number]>([
    ['empty', '', json, 400],
    ['no JSON', '{', json, 400],
    ['more than JSON', '{} x', json, 400],
    ['a deep nest', `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`, json, 501],
    ['two selectors', '{"process":{"pid":1,"tag":"x"}}', json, 400],
    ['a negative pid', '{"process":{"pid":-1}}', json, 400],
    ['no base64', '{"process":{"pid":1},"input":{"stdin":"***"}}', json, 400],
    ['an unknown encoding', '{}', { ...json, 'content-encoding': 'br' }, 501],
    ['no gzip', '{}', { ...json, 'content-encoding': 'gzip' }, 400],
    ['a gzip bomb', gzipSync(Buffer.alloc(80 << 20)), { ...json, 'content-encoding': 'gzip' }, 429],
    ['too large', new Uint8Array((64 << 20) + 1), json, 429],
  ])('%s, unary', async (_name, body, headers, status) => {
    const response = await send('SendInput', body, headers);
    expect(response.status).toBe(status);
    expect((await response.json()).code).toMatch(/^[a-z_]+$/);
    await startsOne();
  });

  test('gzip is understood', async () => {
    const response = await send('List', gzipSync('{}'), { ...json, 'content-encoding': 'gzip' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-encoding')).toBeNull();
  });

  test('unknown fields are not looked at, and a selector for nobody is told', async () => {
    const { end } = await exec({ ...(sh('true') as object), later: { version: [1] } });
    expect(end.status).toBe('exit status 0');
    for (const process of [{ pid: 0 }, { pid: 1 }, { pid: 4_294_967_295 }, { tag: '' }]) {
      expect((await call('SendSignal', { process, signal: 9 })).body.code).toBe('not_found');
    }
  });
});

function envelopeWith(flags: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + payload.length);
  bytes[0] = flags;
  new DataView(bytes.buffer).setUint32(1, payload.length);
  bytes.set(payload, 5);
  return bytes;
}
