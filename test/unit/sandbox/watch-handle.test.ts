import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { afterEach, describe, expect, test } from 'vitest';
import { Files } from '../../../src/sandbox/files.js';
import type { WatchEvent, WatchOptions } from '../../../src/sandbox/watch-options.js';
import { EventType } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import { connectTo, serveFilesystem, signalled } from '../support/fake-envd.js';
import type { TestServer } from '../support/serve.js';

const start = { event: { case: 'start' as const, value: {} } };
const keepalive = { event: { case: 'keepalive' as const, value: {} } };
const happened = (name: string, type: EventType) => ({
  event: { case: 'filesystem' as const, value: { name, type } },
});
const created = (name: string) => happened(name, EventType.CREATE);
type Message = typeof start | typeof keepalive | ReturnType<typeof created>;

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Files whose first watch is answered by the first stream, and so on. */
async function filesWith(
  ...streams: ((context: HandlerContext) => AsyncGenerator<Message>)[]
): Promise<{ files: Files; asked: HandlerContext[] }> {
  const asked: HandlerContext[] = [];
  server = await serveFilesystem({
    watchDir(_request, context) {
      asked.push(context);
      const stream = streams[asked.length - 1];
      if (!stream) throw new ConnectError('no more', Code.NotFound);
      return stream(context);
    },
  });
  return { files: new Files(connectTo(server)), asked };
}

async function* quiet({ signal }: HandlerContext): AsyncGenerator<Message> {
  yield start;
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

const gone = new ConnectError('gone', Code.Unavailable);

async function readAll(files: Files, options?: WatchOptions): Promise<{ seen: string[]; error: unknown }> {
  const seen: string[] = [];
  try {
    for await (const event of await files.watchDir('d', options)) {
      seen.push(event.type === 'gap' ? 'gap' : event.name);
    }
  } catch (error) {
    return { seen, error };
  }
  return { seen, error: undefined };
}

describe('a watch', () => {
  test('begins anew where more happened than envd could keep', async () => {
    const { files, asked } = await filesWith(
      async function* () {
        yield start;
        yield created('a');
        throw new ConnectError('watcher error: queue overflow', Code.Internal);
      },
      async function* () {
        yield start;
        yield keepalive;
        yield created('b');
        throw new ConnectError('not for you', Code.PermissionDenied);
      },
    );
    const { seen, error } = await readAll(files);
    expect(seen).toEqual(['a', 'gap', 'b']);
    expect(error).toMatchObject({ name: 'PermissionDeniedError' });
    expect(asked.length).toBe(2);
  });

  test('tells of a gap once it sees again', async () => {
    let isBack = false;
    const { files } = await filesWith(
      async function* () {
        yield start;
        throw gone;
      },
      async function* (context) {
        isBack = true;
        yield* quiet(context);
      },
    );
    const gaps: unknown[] = [];
    const watch = await files.watchDir('d', { onGap: (gap) => void gaps.push(gap) });
    const { value } = await watch[Symbol.asyncIterator]().next();
    expect(value).toEqual({ type: 'gap', reason: expect.any(String) });
    expect([isBack, gaps]).toEqual([true, [value]]);
    await watch.stop();
  });

  test('passes over kinds of events that it does not know', async () => {
    const { files } = await filesWith(async function* () {
      yield start;
      yield happened('odd', 99 as EventType);
      yield created('known');
      throw new ConnectError('enough', Code.PermissionDenied);
    });
    expect((await readAll(files)).seen).toEqual(['known']);
  });

  test('ends where what it watches is gone', async () => {
    const { files } = await filesWith(async function* () {
      yield start;
      throw gone;
    });
    expect((await readAll(files)).error).toMatchObject({
      name: 'FileNotFoundError',
      code: 'file_not_found',
    });
  });

  test('gives the streams that come later the time that is left', async () => {
    const { files, asked } = await filesWith(async function* () {
      yield start;
      throw gone;
    }, quiet);
    const watch = await files.watchDir('d', { timeoutMs: 60_000 });
    await watch[Symbol.asyncIterator]().next();
    // What was asked for, not what is left of it: requests are not all as long on their way.
    const [first, second] = asked.map(({ requestHeader }) => Number(requestHeader.get('connect-timeout-ms')));
    expect(first).toBeLessThanOrEqual(60_000);
    expect(second).toBeLessThanOrEqual(first ?? 0);
    expect(second).toBeGreaterThan(0);
    await watch.stop();
  });

  test('asks for signs of life, and as the user that is named', async () => {
    const { files, asked } = await filesWith(quiet);
    const watch = await files.watchDir('d', { user: 'root' });
    const headers = asked[0]?.requestHeader;
    expect(headers?.get('keepalive-ping-interval')).toBe('50');
    expect(headers?.get('authorization')).toBe(`Basic ${btoa('root:')}`);
    expect(headers?.has('connect-timeout-ms')).toBe(false);
    await watch.stop();
  });

  test('gives up when its time to come back is over', async () => {
    const { files } = await filesWith(quiet);
    const exits: unknown[] = [];
    const watch = await files.watchDir('d', { reconnectMs: 200, onExit: (error) => void exits.push(error) });
    const next = watch[Symbol.asyncIterator]().next();
    await server?.close();
    server = undefined;
    await expect(next).rejects.toMatchObject({ name: 'ConnectionError' });
    expect(exits).toEqual([expect.objectContaining({ name: 'ConnectionError' })]);
  });

  test.each(['stop', 'abort'])('that is coming back can be ended: %s', async (way) => {
    const { files } = await filesWith(quiet);
    const controller = new AbortController();
    const watch = await files.watchDir('d', { reconnectMs: 3_600_000, signal: controller.signal });
    const next = watch[Symbol.asyncIterator]().next();
    const outcome = next.catch((error: Error) => error.message);
    await server?.close();
    server = undefined;
    if (way === 'stop') await watch.stop();
    else controller.abort(new Error('enough'));
    expect(await outcome).toEqual(way === 'stop' ? { done: true, value: undefined } : 'enough');
  });

  test('is over once, whatever its listeners do', async () => {
    const { files } = await filesWith(quiet);
    let exits = 0;
    const onExit = (): never => {
      exits++;
      throw new Error('from onExit');
    };
    const watch = await files.watchDir('d', () => undefined, { onExit });
    await watch.stop();
    await watch.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(exits).toBe(1);
  });

  test('does not begin with a signal that is aborted', async () => {
    const { files, asked } = await filesWith(quiet);
    await expect(files.watchDir('d', { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
    expect(asked.length).toBe(0);
  });

  test('needs an envd that knows what is asked', async () => {
    const { files: _newer, asked } = await filesWith(quiet);
    const files = new Files(connectTo(server as TestServer, 5_000, '0.1.3'));
    for (const name of ['recursive', 'includeEntry', 'allowNetworkMounts']) {
      await expect(files.watchDir('d', { [name]: true })).rejects.toMatchObject({
        name: 'TemplateError',
        code: 'envd_too_old',
        message: expect.stringContaining(name),
      });
    }
    expect(asked.length).toBe(0);
  });
});

describe('a slow reader', () => {
  const eventBytes = 16_000;
  const total = 5_000;

  test('holds the server up, and nothing piles up here', async () => {
    let sent = 0;
    const done = signalled();
    const { files } = await filesWith(async function* () {
      yield start;
      for (; sent < total; sent++) yield created('x'.repeat(eventBytes));
      done.resolve();
      throw new ConnectError('enough', Code.PermissionDenied);
    });
    const watch = await files.watchDir('d');
    const loop = watch[Symbol.asyncIterator]();
    let read = 0;
    const take = async (): Promise<WatchEvent | undefined> => {
      const { value } = await loop.next();
      read++;
      return value ?? undefined;
    };
    await take();
    // Until the server has been standing still for a while.
    for (let before = -1; before < sent; ) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(sent * eventBytes).toBeLessThan((total * eventBytes) / 4);
    while (read < total) await take();
    await expect(take()).rejects.toMatchObject({ name: 'PermissionDeniedError' });
    await done.promise;
  });
});
