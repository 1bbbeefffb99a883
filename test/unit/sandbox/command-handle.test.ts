import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, expect, test } from 'vitest';
import { LastingStream } from '../../../src/channel/lasting-stream.js';
import { connectProcess, startProcess } from '../../../src/channel/process-stream.js';
import { lostProcess } from '../../../src/channel/reconnector.js';
import { ProcessControls } from '../../../src/sandbox/process-controls.js';
import { RunningCommand } from '../../../src/sandbox/running-command.js';
import { connectTo, events, serveProcesses, signalled } from '../support/fake-envd.js';
import type { TestServer } from '../support/serve.js';

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function connected(reconnectMs = 0): Promise<RunningCommand> {
  if (!server) throw new Error('no server');
  const connection = connectTo(server);
  const stream = await connectProcess(connection, 7, {}, 'test');
  const process = lostProcess(connection, stream, undefined);
  let first: typeof stream | undefined = stream;
  return new RunningCommand(new ProcessControls(connection), stream.pid, {
    maxRetainedBytes: Number.POSITIVE_INFINITY,
    listen() {
      const lasting = new LastingStream(connection, process, first, { reconnectMs });
      first = undefined;
      return lasting;
    },
  });
}

test('a loop after one that was left sees all that the new stream brings', async () => {
  let streams = 0;
  const left = signalled();
  server = await serveProcesses({
    async *connect(_request, { signal }) {
      streams++;
      yield events.start;
      yield events.output('stdout', `of stream ${streams}`);
      if (streams === 1) {
        signal.addEventListener('abort', left.resolve);
        await left.promise;
        return;
      }
      // The end of the first stream must not be taken for that of this one.
      await left.promise;
      yield events.output('stdout', ', more');
      yield events.end;
    },
  });
  const command = await connected();
  for await (const _event of command) break;
  let seen = '';
  for await (const event of command) seen += 'data' in event ? event.data : ` ${event.type} `;
  expect(seen).toBe('of stream 1 gap of stream 2, more exit ');
  expect(await command.finished()).toMatchObject({ gaps: 1 });
});

test('disconnect ends the loops and the waits that there are, and asks for no new stream', async () => {
  let streams = 0;
  server = await serveProcesses({
    async *connect(_request, { signal }) {
      streams++;
      yield events.start;
      yield events.output('stdout', 'x');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  const command = await connected();
  const waiting = expect(command.wait()).rejects.toMatchObject({ code: 'disconnected' });
  const looping = async () => {
    for await (const _event of command) await command.disconnect();
  };
  await expect(looping()).rejects.toMatchObject({ code: 'disconnected' });
  await waiting;
  expect(streams).toBe(1);
});

test('input ends after all that was sent before, although nobody waited for it', async () => {
  const calls: string[] = [];
  server = await serveProcesses({
    async sendInput({ input }) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      calls.push(new TextDecoder().decode(input?.input.value as Uint8Array));
      return {};
    },
    closeStdin() {
      calls.push('closed');
      return {};
    },
  });
  const controls = new ProcessControls(connectTo(server));
  await Promise.all([
    controls.sendStdin(7, 'a'),
    controls.sendStdin(7, 'b'),
    controls.sendStdin(7, 'c'),
    controls.closeStdin(7),
  ]);
  expect(calls).toEqual(['a', 'bc', 'closed']);
});

test('what is no time limit is refused, and one beyond all timers is none', async () => {
  let timeout: string | null = 'unset';
  server = await serveProcesses({
    async *start(_request, { requestHeader }) {
      timeout = requestHeader.get('connect-timeout-ms');
      yield events.start;
      yield events.end;
    },
  });
  const connection = connectTo(server);
  const start = async (timeoutMs: number) => {
    const stream = await startProcess(connection, { cmd: 'x', args: [], envs: {}, timeoutMs }, {}, 'test');
    for await (const _event of stream.output);
  };
  for (const bad of [-1, Number.NaN]) {
    await expect(start(bad)).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining('timeoutMs'),
    });
  }
  await start(Number.POSITIVE_INFINITY);
  expect(timeout).toBeNull();
  await start(5_000.5);
  expect(timeout).toBe('5001');
});

test('a process that is not there has a code of its own', async () => {
  server = await serveProcesses({
    async *connect() {
      yield* [];
      throw new ConnectError('process with pid 7 not found', Code.NotFound);
    },
  });
  await expect(connected()).rejects.toMatchObject({ name: 'NotFoundError', code: 'process_not_found' });
});
