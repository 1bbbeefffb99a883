import { fromBinary, create as message, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { StartRequestSchema, StartResponseSchema } from '../../../src/wire/gen/process/process_pb.js';
import { envelope, run, sh, stream, unary } from './support/rpc.js';
import { type Created, createSandbox, envdHeaders, startServer } from './support/server.js';
import { until } from './support/until.js';

let server: LocalServer;
let sandbox: Created;

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server, { envVars: { GLOBAL: 'g', BOTH: 'global' } });
});

const call = (method: string, body: unknown) => unary(server, sandbox, `process.Process/${method}`, body);
const exec = (request: unknown, headers?: Record<string, string>) =>
  run(server, sandbox, request, headers ? { headers } : {});
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('an end', () => {
  test.each([
    ['exit 0', { exitCode: undefined, exited: true, status: 'exit status 0', error: undefined }],
    ['exit 3', { exitCode: 3, exited: true, status: 'exit status 3', error: 'exit status 3' }],
    ['kill -9 $$', { exitCode: -1, exited: undefined, status: 'signal: killed', error: 'signal: killed' }],
    ['kill -15 $$', { exitCode: -1, status: 'signal: terminated', error: 'signal: terminated' }],
    ['kill -2 $$', { exitCode: -1, status: 'signal: interrupt', error: 'signal: interrupt' }],
  ])('of %j', async (command, end) => {
    expect((await exec(sh(command))).end).toMatchObject(JSON.parse(JSON.stringify(end)));
  });

  test('of a program that does not exist is 127, with words on stderr', async () => {
    const { end, stderr, stdout } = await exec({ process: { cmd: 'no-such-program', args: ['x'] } });
    expect(end).toMatchObject({ exitCode: 127, exited: true });
    expect(stderr).toContain('no-such-program: not found');
    expect(stdout).toBe('');
  });

  test('waits for whoever still holds the output', async () => {
    const { stdout, end } = await exec(sh('(sleep 0.5; echo late) & echo early'));
    expect(stdout).toBe('early\nlate\n');
    expect(end.status).toBe('exit status 0');
  });

  test('does not, after a signal', async () => {
    const events = await stream(
      server,
      sandbox,
      'process.Process/Start',
      sh('sleep 300 & echo up; sleep 300'),
    );
    const { pid } = (await events.next()).event.start;
    await events.next();
    expect((await call('SendSignal', { process: { pid }, signal: 'SIGNAL_SIGTERM' })).status).toBe(200);
    const rest = await events.rest();
    expect(rest.at(-1).event.end).toMatchObject({ status: 'signal: terminated' });
    expect(events.end).toEqual({});
  });

  test('is told for a while to those who come late', async () => {
    const { pid } = await exec(sh('exit 7', {}));
    const late = await stream(server, sandbox, 'process.Process/Connect', { process: { pid } });
    const events = (await late.rest()).map(({ event }) => event);
    expect(events).toMatchObject([{ start: { pid } }, { end: { exitCode: 7 } }]);
    expect((await call('SendSignal', { process: { pid }, signal: 'SIGNAL_SIGKILL' })).status).toBe(404);
  });
});

describe('a start', () => {
  test('layers the environment', async () => {
    const { stdout } = await exec(
      sh('echo "$GLOBAL $BOTH $OWN $HOME $USER $LOGNAME $E2B_SANDBOX $E2B_SANDBOX_ID"', {
        envs: { BOTH: 'own', OWN: 'o' },
      }),
    );
    expect(stdout).toBe(`g own o /home/user user user true ${sandbox.sandboxID}\n`);
    const { stdout: all } = await exec({ process: { cmd: 'env' }, stdin: false });
    const names = all.split('\n').map((line) => line.split('=')[0]);
    const known = [
      'BOTH',
      'E2B_SANDBOX',
      'E2B_SANDBOX_ID',
      'E2B_TEMPLATE_ID',
      'GLOBAL',
      'HOME',
      'LOGNAME',
      'PATH',
      'PWD',
      'USER',
      '',
    ];
    expect(names.filter((name) => !known.includes(name!))).toEqual([]);
  });

  test.each([
    [undefined, '/home/user'],
    ['', '/home/user'],
    ['~', '/home/user'],
    ['/tmp', '/tmp'],
    ['../../tmp', '/tmp'],
  ])('in %j', async (cwd, place) => {
    const { stdout } = await exec({
      process: { cmd: 'pwd', ...(cwd !== undefined && { cwd }) },
      stdin: false,
    });
    expect(stdout).toBe(`${place}\n`);
  });

  test.each([
    ['/nowhere', "cwd '/nowhere' does not exist"],
    ['~bob', 'home dir'],
    ['/etc/passwd', 'error starting process'],
  ])('in %j is refused', async (cwd, words) => {
    for (const pty of [undefined, { size: { cols: 80, rows: 24 } }]) {
      const { streamEnd, end } = await exec({ process: { cmd: 'pwd', cwd }, ...(pty && { pty }) });
      expect(end).toBeUndefined();
      expect(streamEnd.error.code).toBe('invalid_argument');
      if (!pty) expect(streamEnd.error.message).toContain(words);
    }
  });

  test('without stdin reads nothing, and keeps it open when not told', async () => {
    expect((await exec({ process: { cmd: 'cat' }, stdin: false })).end.status).toBe('exit status 0');
    const events = await stream(server, sandbox, 'process.Process/Start', {
      process: { cmd: '/bin/sh', args: ['-c', 'cat; sleep 0.5'] },
    });
    const { pid } = (await events.next()).event.start;
    await call('SendInput', { process: { pid }, input: { stdin: base64('héllo') } });
    expect((await events.next()).event.data).toEqual({ stdout: base64('héllo') });
    for (let i = 0; i < 2; i++) expect((await call('CloseStdin', { process: { pid } })).status).toBe(200);
    expect((await events.next()).event.end).toMatchObject({ exited: true });
  });

  test('gives real pipes: /dev/stdout and /dev/stderr can be opened', async () => {
    const { stdout, stderr } = await exec(
      sh('echo out >/dev/stdout; echo err >/dev/stderr; test -p /dev/stdout && echo pipe'),
    );
    expect([stdout, stderr]).toEqual(['out\npipe\n', 'err\n']);
  });

  test('hands nothing of envd down', async () => {
    const { stdout } = await exec(sh('ls /proc/self/fd'));
    expect(stdout.trim().split('\n')).toEqual(['0', '1', '2', '3']);
  });

  test('kill 0 reaches only the process’s own group', async () => {
    expect((await exec(sh('kill 0'))).end.status).toBe('signal: terminated');
    expect((await exec(sh('echo alive'))).stdout).toBe('alive\n');
  });

  test('by an unknown user is refused in the stream, by root runs with root’s home', async () => {
    const as = (name: string) => ({ authorization: `Basic ${base64(`${name}:`)}` });
    const { streamEnd } = await exec(sh('true'), as('bob'));
    expect(streamEnd.error).toMatchObject({ code: 'unauthenticated', message: "invalid username: 'bob'" });
    expect((await exec(sh('echo ~ $USER'), as('root'))).stdout).toBe('/root root\n');
    const health = await fetch(`${server.sandboxUrl}/health`, {
      headers: { ...envdHeaders(sandbox), ...as('bob') },
    });
    expect(health.status).toBe(401);
  });
});

describe('time', () => {
  test('Connect-Timeout-Ms on Start kills the process, also when nobody listens any more', async () => {
    const request = sh('echo up; sleep 300; true');
    const events = await stream(server, sandbox, 'process.Process/Start', request, {
      headers: { 'connect-timeout-ms': '700' },
    });
    const { pid } = (await events.next()).event.start;
    events.close();
    await until('the process was killed', async () => (await pids()).every((one) => one !== pid));
    const late = await stream(server, sandbox, 'process.Process/Connect', { process: { pid } });
    expect((await late.rest()).at(-1).event.end.status).toBe('signal: killed');
  });

  test('and ends the stream with deadline_exceeded', async () => {
    const { streamEnd } = await exec(sh('sleep 300'), { 'connect-timeout-ms': '300' });
    expect(streamEnd.error.code).toBe('deadline_exceeded');
  });

  test('that is over before it begins starts nothing', async () => {
    const { streamEnd, pid } = await exec(sh('touch started'), { 'connect-timeout-ms': '0' });
    expect(streamEnd.error.code).toBe('deadline_exceeded');
    expect(pid).toBeUndefined();
  });

  test('on Connect it ends the stream only', async () => {
    const pid = await background('sleep 300');
    const events = await stream(
      server,
      sandbox,
      'process.Process/Connect',
      { process: { pid } },
      {
        headers: { 'connect-timeout-ms': '200' },
      },
    );
    await events.rest();
    expect(events.end.error.code).toBe('deadline_exceeded');
    expect(await pids()).toContain(pid);
    await call('SendSignal', { process: { pid }, signal: 'SIGNAL_SIGKILL' });
  });

  test('a silent stream gets keepalives, however short the interval asked for', async () => {
    for (const interval of ['1', '0', '-5']) {
      const events = await stream(server, sandbox, 'process.Process/Start', sh('sleep 1.5'), {
        headers: { 'keepalive-ping-interval': interval },
      });
      const kinds = (await events.rest()).map(({ event }) => Object.keys(event)[0]);
      expect(kinds).toEqual(['start', 'keepalive', 'end']);
    }
  });
});

describe('several at once', () => {
  test('a client that goes away leaves the process, which goes on unread', async () => {
    const events = await stream(
      server,
      sandbox,
      'process.Process/Start',
      sh('head -c 5000000 /dev/zero; touch went-on; sleep 300'),
    );
    const { pid } = (await events.next()).event.start;
    events.close();
    await until('it got past its output', async () => {
      const { status } = await unary(server, sandbox, 'filesystem.Filesystem/Stat', { path: 'went-on' });
      return status === 200;
    });
    await call('SendSignal', { process: { pid }, signal: 'SIGNAL_SIGKILL' });
  });

  test('everyone connected gets everything from then on', async () => {
    const events = await stream(server, sandbox, 'process.Process/Start', {
      process: { cmd: 'cat' },
      tag: 'shared',
    });
    const { pid } = (await events.next()).event.start;
    const second = await stream(server, sandbox, 'process.Process/Connect', { process: { tag: 'shared' } });
    expect((await second.next()).event.start).toEqual({ pid });
    await call('SendInput', { process: { pid }, input: { stdin: base64('both') } });
    for (const one of [events, second]) expect((await one.next()).event.data.stdout).toBe(base64('both'));
    await call('CloseStdin', { process: { pid } });
    for (const one of [events, second]) expect((await one.rest()).at(-1).event.end.exited).toBe(true);
  });

  test('the process waits for a subscriber that does not read, and nothing is lost', async () => {
    const bytes = 64 << 20;
    const events = await stream(
      server,
      sandbox,
      'process.Process/Start',
      sh(`head -c ${bytes} /dev/zero; touch done-writing`),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { body } = await unary(server, sandbox, 'filesystem.Filesystem/Stat', { path: 'done-writing' });
    expect(body.code).toBe('not_found');
    let received = 0;
    for (const { event } of await events.rest())
      received += Buffer.from(event.data?.stdout ?? '', 'base64').length;
    expect(received).toBe(bytes);
  });
});

describe('other calls', () => {
  test('List shows what was asked for', async () => {
    const request = {
      process: { cmd: 'sleep', args: ['300'], envs: { A: '1' }, cwd: '~' },
      tag: 'listed',
      stdin: false,
    };
    const events = await stream(server, sandbox, 'process.Process/Start', request);
    const { pid } = (await events.next()).event.start;
    const { body } = await call('List', {});
    expect(body.processes.find((one: { pid: number }) => one.pid === pid)).toEqual({
      config: request.process,
      pid,
      tag: 'listed',
    });
    await call('SendSignal', { process: { tag: 'listed' }, signal: 'SIGNAL_SIGKILL' });
    expect((await events.rest()).at(-1).event.end.status).toBe('signal: killed');
  });

  test('a tag finds its process among others that have one', async () => {
    const found = new Map<string, number>();
    for (const tag of ['first', 'second', 'third']) {
      const request = { process: { cmd: 'sleep', args: ['300'] }, tag, stdin: false };
      const events = await stream(server, sandbox, 'process.Process/Start', request);
      found.set(tag, (await events.next()).event.start.pid);
      events.close();
    }
    for (const [tag, pid] of [...found].reverse()) {
      const events = await stream(server, sandbox, 'process.Process/Connect', { process: { tag } });
      expect((await events.next()).event.start.pid).toBe(pid);
      await call('SendSignal', { process: { tag }, signal: 'SIGNAL_SIGKILL' });
      expect((await events.rest()).at(-1).event.end.status).toBe('signal: killed');
    }
  });

  test('an unreadable StreamInput is told as such', async () => {
    const response = await fetch(`${server.sandboxUrl}/process.Process/StreamInput`, {
      method: 'POST',
      headers: { ...envdHeaders(sandbox), 'content-type': 'application/connect+json' },
      body: Buffer.concat([envelope({ keepalive: {} }), Buffer.from([0, 0, 0, 0, 1, 0x7b])]),
    });
    const body = Buffer.from(await response.arrayBuffer());
    const { error } = JSON.parse(body.subarray(5).toString('utf8'));
    expect(error.code).toBe('unknown');
    expect(error.message).toMatch(/^error streaming input: /);
  });

  test.each([
    [
      'SendInput',
      { process: { pid: 999_999 }, input: { stdin: '' } },
      404,
      'process with pid 999999 not found',
    ],
    ['SendSignal', { process: { tag: 'x' }, signal: 9 }, 404, 'process with tag x not found'],
    ['CloseStdin', {}, 501, 'selector'],
    ['Update', { process: { pid: 999_999 } }, 404, 'not found'],
  ])('%s to nobody: %j', async (method, body, status, words) => {
    const answer = await call(method, body);
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(words);
  });

  test('what a process without stdin and terminal cannot take', async () => {
    const pid = await background('sleep 300');
    const stdin = await call('SendInput', { process: { pid }, input: { stdin: base64('x') } });
    expect(stdin.body).toMatchObject({
      code: 'internal',
      message: 'error writing to stdin: stdin not enabled or closed',
    });
    expect((await call('SendInput', { process: { pid }, input: { pty: base64('x') } })).body.code).toBe(
      'internal',
    );
    expect((await call('SendInput', { process: { pid }, input: {} })).body.code).toBe('unimplemented');
    const resize = await call('Update', { process: { pid }, pty: { size: { cols: 1, rows: 1 } } });
    expect(resize.body).toMatchObject({
      code: 'internal',
      message: expect.stringContaining('error resizing tty'),
    });
    expect((await call('Update', { process: { pid } })).status).toBe(200);
    const signal = await call('SendSignal', { process: { pid }, signal: 'SIGNAL_UNSPECIFIED' });
    expect(signal.body.code).toBe('unimplemented');
    await call('SendSignal', { process: { pid }, signal: 'SIGNAL_SIGKILL' });
  });

  test('StreamInput writes in order', async () => {
    const events = await stream(server, sandbox, 'process.Process/Start', { process: { cmd: 'cat' } });
    const { pid } = (await events.next()).event.start;
    const messages = [
      { start: { process: { pid } } },
      ...['a', 'b', 'c'].map((text) => ({ data: { input: { stdin: base64(text) } } })),
    ];
    const response = await fetch(`${server.sandboxUrl}/process.Process/StreamInput`, {
      method: 'POST',
      headers: { ...envdHeaders(sandbox), 'content-type': 'application/connect+json' },
      body: Buffer.concat(messages.map((one) => envelope(one))),
    });
    expect(response.status).toBe(200);
    await call('CloseStdin', { process: { pid } });
    const output = (await events.rest()).map(({ event }) =>
      Buffer.from(event.data?.stdout ?? '', 'base64').toString(),
    );
    expect(output.join('')).toBe('abc');
  });
});

describe('the protocol', () => {
  test('the binary codec says the same', async () => {
    const request = message(StartRequestSchema, { process: { cmd: 'echo', args: ['hi'] }, stdin: false });
    const payload = toBinary(StartRequestSchema, request);
    const body = Buffer.concat([Buffer.from([0, 0, 0, 0, payload.length]), payload]);
    const response = await fetch(`${server.sandboxUrl}/process.Process/Start`, {
      method: 'POST',
      headers: { ...envdHeaders(sandbox), 'content-type': 'application/connect+proto' },
      body,
    });
    let rest = Buffer.from(await response.arrayBuffer());
    const events = [];
    while (rest[0] === 0) {
      const length = rest.readUInt32BE(1);
      events.push(fromBinary(StartResponseSchema, rest.subarray(5, 5 + length)).event?.event);
      rest = rest.subarray(5 + length);
    }
    expect(events.map((event) => event?.case)).toEqual(['start', 'data', 'end']);
    expect(rest[0]).toBe(2);
    expect(rest.subarray(5).toString()).toBe('{}');
  });

  test('other content types, methods and procedures', async () => {
    const send = (path: string, init: RequestInit): Promise<Response> =>
      fetch(server.sandboxUrl + path, { ...init, headers: { ...envdHeaders(sandbox), ...init.headers } });
    expect(
      (await send('/process.Process/List', { method: 'POST', headers: { 'content-type': 'text/plain' } }))
        .status,
    ).toBe(415);
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const refused = await send('/process.Process/List', { method });
      expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'POST']);
    }
    expect((await send('/envs', { method: 'POST' })).headers.get('allow')).toBe('GET');
    expect((await send('/process.Process/Nothing', { method: 'POST', body: '{}' })).status).toBe(404);
  });
});

async function pids(): Promise<number[]> {
  const { body } = await call('List', {});
  return (body.processes ?? []).map(({ pid }: { pid: number }) => pid);
}

async function background(command: string): Promise<number> {
  const events = await stream(server, sandbox, 'process.Process/Start', sh(`exec ${command}`));
  const { pid } = (await events.next()).event.start;
  events.close();
  return pid;
}
