import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { afterEach, expect, test } from 'vitest';
import { LastingStream, type LastingStreamOptions } from '../../../src/channel/lasting-stream.js';
import { connectProcess } from '../../../src/channel/process-stream.js';
import { lostProcess } from '../../../src/channel/reconnector.js';
import { connectTo, events, processList, serveProcesses, signalled } from '../support/fake-envd.js';
import type { TestServer } from '../support/serve.js';

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const lost = () => new ConnectError('lost', Code.Unavailable);

const aborted = ({ signal }: HandlerContext) =>
  new Promise((resolve) => signal.addEventListener('abort', resolve));

async function open(options: Partial<LastingStreamOptions> = {}): Promise<LastingStream> {
  if (!server) throw new Error('no server');
  const connection = connectTo(server);
  const stream = await connectProcess(connection, 7, {}, 'test');
  const process = lostProcess(connection, stream, undefined);
  await process.identity;
  return new LastingStream(connection, process, stream, { reconnectMs: 5_000, ...options });
}

async function read(stream: LastingStream): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of stream.output) {
    seen.push('data' in event ? new TextDecoder().decode(event.data) : event.type);
  }
  return seen;
}

test('a stream that is lost goes on behind a gap', async () => {
  let streams = 0;
  server = await serveProcesses({
    async *connect() {
      yield events.start;
      if (++streams > 1) yield events.end;
      else {
        yield events.output('stdout', 'mine');
        throw lost();
      }
    },
  });
  expect(await read(await open())).toEqual(['mine', 'gap', 'end']);
});

test('another process that has got the id meanwhile is not listened to', async () => {
  const identified = signalled();
  let isOther = false;
  let streams = 0;
  server = await serveProcesses({
    list() {
      identified.resolve();
      return isOther ? { processes: [{ pid: 7, config: { cmd: 'another' } }] } : processList;
    },
    async *connect() {
      streams++;
      yield events.start;
      await identified.promise;
      isOther = true;
      throw lost();
    },
  });
  await expect(read(await open())).rejects.toMatchObject({
    code: 'connection_lost',
    cause: { code: 'process_not_found' },
  });
  expect(streams).toBe(1);
});

test('the same command under another tag is another process', async () => {
  const tagged = (tag: string) => ({ processes: [{ pid: 7, config: { cmd: 'x' }, tag }] });
  const identified = signalled();
  let tag = 'mine';
  server = await serveProcesses({
    list() {
      identified.resolve();
      return tagged(tag);
    },
    async *connect() {
      yield events.start;
      await identified.promise;
      tag = 'of another';
      throw lost();
    },
  });
  await expect(read(await open())).rejects.toMatchObject({ code: 'connection_lost' });
});

test('of a process that is not in the list any more only the end is taken', async () => {
  for (const [second, expected] of [
    [events.end, ['mine', 'gap', 'end']],
    [events.start, undefined],
  ] as const) {
    const identified = signalled();
    let isLost = false;
    let streams = 0;
    server = await serveProcesses({
      list() {
        identified.resolve();
        return isLost ? { processes: [] } : processList;
      },
      async *connect(_request, context) {
        yield events.start;
        if (++streams === 1) {
          await identified.promise;
          yield events.output('stdout', 'mine');
          isLost = true;
          throw lost();
        }
        if (second === events.end) yield second;
        else {
          yield events.output('stdout', 'of another');
          await aborted(context);
        }
      },
    });
    const reading = read(await open());
    if (expected) expect(await reading).toEqual(expected);
    else await expect(reading).rejects.toMatchObject({ code: 'connection_lost' });
    await server.close();
  }
});

test('the stream that tells of an end which is remembered is let go of', async () => {
  const identified = signalled();
  const left = signalled();
  let hasEnded = false;
  server = await serveProcesses({
    list() {
      identified.resolve();
      return hasEnded ? { processes: [] } : processList;
    },
    async *connect(_request, { signal }) {
      yield events.start;
      if (!hasEnded) {
        await identified.promise;
        hasEnded = true;
        throw lost();
      }
      signal.addEventListener('abort', left.resolve);
      yield events.end;
      await left.promise;
    },
  });
  expect(await read(await open())).toEqual(['gap', 'end']);
  await left.promise;
});

test('the time of the stream is over also while it comes back', async () => {
  let isLost = false;
  server = await serveProcesses({
    async *connect() {
      if (isLost) throw lost();
      yield events.start;
      isLost = true;
      throw lost();
    },
  });
  const reading = read(await open({ deadline: Date.now() + 500, reconnectMs: 60_000 }));
  await expect(reading).rejects.toMatchObject({ code: 'command_timeout' });
});

test('the trying ends with its time', async () => {
  let streams = 0;
  server = await serveProcesses({
    async *connect() {
      if (++streams === 1) yield events.start;
      throw lost();
    },
  });
  await expect(read(await open({ reconnectMs: 300 }))).rejects.toMatchObject({
    code: 'connection_lost',
    message: expect.stringContaining('300 ms'),
  });
  expect(streams).toBeGreaterThan(1);
});

test('the trying is ended by cancel and by the signal, also while an answer is awaited', async () => {
  for (const how of ['cancel', 'signal'] as const) {
    const asked = signalled();
    const gone = signalled();
    let streams = 0;
    server = await serveProcesses({
      async *connect(_request, context) {
        if (++streams === 1) {
          yield events.start;
          throw lost();
        }
        context.signal.addEventListener('abort', gone.resolve);
        asked.resolve();
        await aborted(context);
      },
    });
    const abort = new AbortController();
    const reason = new Error('enough');
    const stream = await open({ signal: abort.signal });
    const reading = read(stream).catch((error: unknown) => error);
    await asked.promise;
    if (how === 'cancel') stream.cancel();
    else abort.abort(reason);
    expect(await reading).toEqual(how === 'cancel' ? [] : reason);
    await gone.promise;
    await server.close();
  }
});

test('a kill at the deadline is called that', async () => {
  const killed = {
    event: { event: { case: 'end' as const, value: { exitCode: -1, status: 'signal: killed' } } },
  };
  for (const deadline of [Date.now() - 1, Date.now() + 60_000]) {
    server = await serveProcesses({
      async *connect() {
        yield events.start;
        yield killed;
      },
    });
    const reading = read(await open({ deadline, endsProcess: true }));
    if (deadline < Date.now()) await expect(reading).rejects.toMatchObject({ code: 'command_timeout' });
    else expect(await reading).toEqual(['end']);
    await server.close();
  }
});
