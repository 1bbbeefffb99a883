import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { run, sh, stream, unary } from './support/rpc.js';
import { type Created, createSandbox, startServer } from './support/server.js';

let server: LocalServer;
let sandbox: Created;

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server);
});

const size = { cols: 80, rows: 24 };
const call = (method: string, body: unknown) => unary(server, sandbox, `process.Process/${method}`, body);
const terminal = (command: string, pty: unknown = { size }) =>
  run(server, sandbox, { process: { cmd: '/bin/sh', args: ['-c', command] }, pty });

describe('a terminal', () => {
  test('is one: its name, its size, its end', async () => {
    const { pty, stdout, end } = await terminal('tty; stty size; test -t 0 && echo yes; exit 5');
    expect(pty).toMatch(/^\/dev\/pts\/\d+\r\n24 80\r\nyes\r\n$/);
    expect(stdout).toBe('');
    expect(end).toMatchObject({ exitCode: 5, error: 'exit status 5' });
  });

  test('begins as the kernel makes one, but for UTF-8', async () => {
    const { pty } = await terminal('stty -a');
    for (const setting of ['icrnl', 'ixon', 'isig', 'icanon', 'echo', 'iutf8']) {
      expect(pty).toMatch(new RegExp(`(?<!-)\\b${setting}\\b`));
    }
    for (const setting of ['-ixany', '-imaxbel', '-brkint']) expect(pty).toContain(setting);
    expect(pty.replace(/\s+/g, ' ')).toContain('eol = <undef>; eol2 = <undef>;');
  });

  test('has a controlling process, so that Ctrl-C works', async () => {
    // What prints has been started: a program that dash is about to start may miss the signal.
    const events = await stream(server, sandbox, 'process.Process/Start', {
      process: { cmd: '/bin/sh', args: ['-c', 'cat /proc/version -; echo never'] },
      pty: { size },
    });
    const { pid } = (await events.next()).event.start;
    await events.next();
    await call('SendInput', { process: { pid }, input: { pty: Buffer.from([3]).toString('base64') } });
    expect((await events.rest()).at(-1).event.end.status).toBe('signal: interrupt');
  });

  test('takes any bytes and a new size', async () => {
    const events = await stream(server, sandbox, 'process.Process/Start', {
      process: {
        cmd: '/bin/sh',
        args: ['-c', 'stty raw -echo; echo up; head -c 4 | od -An -tx1; stty size'],
      },
      pty: { size: { cols: 65_536 + 100, rows: 10 } },
    });
    const { pid } = (await events.next()).event.start;
    await events.next();
    expect((await call('Update', { process: { pid }, pty: { size: { cols: 33, rows: 44 } } })).status).toBe(
      200,
    );
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0xc3]);
    await call('SendInput', { process: { pid }, input: { pty: bytes.toString('base64') } });
    const output = (await events.rest()).map(({ event }) =>
      Buffer.from(event.data?.pty ?? '', 'base64').toString(),
    );
    expect(output.join('')).toMatch(/ff fe 00 c3\s+44 33/);
  });

  test('sizes are cut to 16 bits', async () => {
    expect((await terminal('stty size', { size: { cols: 65_536 + 100, rows: 10 } })).pty).toBe('10 100\r\n');
  });

  test('of a missing program ends with 127', async () => {
    const { end, pty } = await run(server, sandbox, { process: { cmd: 'no-such-program' }, pty: { size } });
    expect(end.exitCode).toBe(127);
    expect(pty).toContain('no-such-program');
  });

  test('takes no stdin, and cannot be closed', async () => {
    const events = await stream(server, sandbox, 'process.Process/Start', {
      process: { cmd: 'cat' },
      pty: { size },
    });
    const { pid } = (await events.next()).event.start;
    expect((await call('SendInput', { process: { pid }, input: { stdin: 'eA==' } })).body.code).toBe(
      'internal',
    );
    const close = await call('CloseStdin', { process: { pid } });
    expect(close.body).toMatchObject({ code: 'unknown', message: expect.stringContaining('Ctrl+D') });
    await call('SendSignal', { process: { pid }, signal: 'SIGNAL_SIGKILL' });
    expect((await events.rest()).at(-1).event.end.status).toBe('signal: killed');
  });

  test('hands nothing of another terminal down', async () => {
    const events = await stream(server, sandbox, 'process.Process/Start', {
      process: { cmd: 'cat' },
      pty: { size },
    });
    const { pid } = (await events.next()).event.start;
    const { stdout } = await run(server, sandbox, sh('ls /proc/self/fd | wc -l'));
    expect(stdout.trim()).toBe('4');
    expect((await terminal('ls /proc/self/fd | wc -l')).pty.trim()).toBe('4');
    await call('SendSignal', { process: { pid }, signal: 'SIGNAL_SIGKILL' });
  });
});

test('a writer’s last 300 KB are never lost, forty times', async () => {
  const line = 'x'.repeat(99);
  const expected = `${line}\r\n`.repeat(3000);
  for (let i = 0; i < 40; i++) {
    const { pty, end } = await terminal(`yes ${line} | head -n 3000`);
    expect(pty.length).toBe(expected.length);
    expect(pty === expected).toBe(true);
    expect(end.status).toBe('exit status 0');
  }
});

test('nor when the reader is slow', async () => {
  const events = await stream(server, sandbox, 'process.Process/Start', {
    process: { cmd: '/bin/sh', args: ['-c', 'stty raw; head -c 30000000 /dev/zero'] },
    pty: { size },
  });
  await events.next();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  let bytes = 0;
  for (const { event } of await events.rest()) bytes += Buffer.from(event.data?.pty ?? '', 'base64').length;
  expect(bytes).toBe(30_000_000);
});
