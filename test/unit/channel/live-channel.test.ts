import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { afterEach, describe, expect, test } from 'vitest';
import type { Channel, ChannelEvent } from '../../../src/channel/channel.js';
import { InputQueue } from '../../../src/channel/input-queue.js';
import { openLiveChannel } from '../../../src/channel/live-channel.js';
import { connectTo, events, serveProcesses, signalled } from '../support/fake-envd.js';
import type { TestServer } from '../support/serve.js';

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function open(signal?: AbortSignal): Promise<Channel> {
  if (!server) throw new Error('no server');
  return openLiveChannel(connectTo(server), { pid: 7 }, signal && { signal });
}

function lost(): ConnectError {
  return new ConnectError('lost', Code.Unavailable);
}

const aborted = ({ signal }: HandlerContext) =>
  new Promise((resolve) => signal.addEventListener('abort', resolve));

describe('a live channel', () => {
  test('takes up a stream that was lost, and declares the gap', async () => {
    let streams = 0;
    server = await serveProcesses({
      async *connect() {
        streams++;
        yield events.start;
        yield events.output('pty', `stream ${streams}`);
        if (streams === 1) throw lost();
        yield events.end;
      },
    });
    const channel = await open();
    const states: string[] = [];
    channel.onStatus(({ state }) => states.push(state));
    const seen: ChannelEvent[] = [];
    for await (const event of channel) seen.push(event);
    expect(seen).toMatchObject([
      { type: 'output', offset: 0 },
      { type: 'gap', from: 8, to: null },
      { type: 'output', offset: 8 },
      { type: 'exit', exitCode: 0 },
    ]);
    expect(states).toEqual(['reconnecting', 'open', 'closed']);
  });

  test('ends when the process is gone, with what says so', async () => {
    let streams = 0;
    server = await serveProcesses({
      async *connect() {
        if (++streams > 1) throw new ConnectError('process with pid 7 not found', Code.NotFound);
        yield events.start;
        throw lost();
      },
    });
    const read = async (channel: Channel) => {
      for await (const _event of channel);
    };
    await expect(read(await open())).rejects.toMatchObject({ code: 'process_not_found' });
  });

  test('is ended by its signal also after it was taken up again', async () => {
    let streams = 0;
    server = await serveProcesses({
      async *connect(_request, context) {
        yield events.start;
        if (++streams === 1) throw lost();
        await aborted(context);
      },
    });
    const controller = new AbortController();
    const channel = await open(controller.signal);
    const reason = new Error('enough');
    const read = async () => {
      for await (const event of channel) if (event.type === 'gap') controller.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
    expect(channel.status).toEqual({ state: 'closed', error: reason });
  });

  test('does not send what is typed after the end', async () => {
    let sent = 0;
    server = await serveProcesses({
      async *connect() {
        yield events.start;
        yield events.end;
      },
      sendInput() {
        sent++;
        return {};
      },
    });
    const channel = await open();
    for await (const _event of channel);
    await expect(channel.send(Uint8Array.of(1))).rejects.toMatchObject({ code: 'input_not_executed' });
    expect(sent).toBe(0);
  });
});

describe('input', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  test('is sent by one call at a time, joined, and in order', async () => {
    const calls: string[] = [];
    let underWay = 0;
    server = await serveProcesses({
      async sendInput({ input }) {
        expect(++underWay).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        underWay--;
        calls.push(new TextDecoder().decode(input?.input.value as Uint8Array));
        return {};
      },
    });
    const queue = new InputQueue(connectTo(server), 7, 'pty');
    const buffer = bytes('a');
    const first = queue.send(buffer);
    buffer.set(bytes('z'));
    await Promise.all([first, ...['b', 'c', 'd'].map((text) => queue.send(bytes(text)))]);
    expect(calls).toEqual(['a', 'bcd']);
  });

  test('that waits behind some that failed is not sent', async () => {
    let calls = 0;
    server = await serveProcesses({
      sendInput() {
        calls++;
        if (calls === 1) throw lost();
        return {};
      },
    });
    const queue = new InputQueue(connectTo(server), 7, 'pty');
    const results = await Promise.allSettled([
      queue.send(bytes('rm -rf ./build')),
      queue.send(bytes('/tmp\n')),
    ]);
    expect(results).toMatchObject([
      { reason: { code: 'input_uncertain' } },
      { reason: { code: 'input_not_executed' } },
    ]);
    await queue.send(bytes('ls\n'));
    expect(calls).toBe(2);
  });

  test('that is never answered is given up in time, and what is sent afterwards goes', async () => {
    const calls: string[] = [];
    server = await serveProcesses({
      async sendInput({ input }, context) {
        calls.push(new TextDecoder().decode(input?.input.value as Uint8Array));
        if (calls.length === 1) await aborted(context);
        return {};
      },
    });
    const queue = new InputQueue(connectTo(server, 300), 7, 'stdin');
    const results = await Promise.allSettled([queue.send(bytes('half-open')), queue.send(bytes('behind'))]);
    expect(results).toMatchObject([
      { reason: { code: 'input_uncertain', cause: { code: 'request_timeout' } } },
      { reason: { code: 'input_not_executed' } },
    ]);
    await queue.send(bytes('after'));
    expect(calls).toEqual(['half-open', 'after']);
    expect(queue.idle).toBe(true);
  });

  test('that is a stream is cancelled where it is never read', async () => {
    server = await serveProcesses({
      sendInput() {
        throw lost();
      },
    });
    const cancelled: string[] = [];
    const stream = (name: string) => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: true as const, value: undefined }),
        return: async () => {
          cancelled.push(name);
          return { done: true as const, value: undefined };
        },
      }),
    });
    const queue = new InputQueue(connectTo(server), 7, 'stdin');
    const abort = new AbortController();
    const sent = Promise.allSettled([
      queue.send(bytes('lost')),
      queue.send(stream('behind')),
      queue.send(stream('taken back'), { signal: abort.signal }),
    ]);
    abort.abort();
    await sent;
    expect(cancelled).toEqual(['taken back', 'behind']);
  });

  test('that is taken back by its signal while it waits leaves the others as they are', async () => {
    const calls: string[] = [];
    const free = signalled();
    server = await serveProcesses({
      async sendInput({ input }) {
        calls.push(new TextDecoder().decode(input?.input.value as Uint8Array));
        await free.promise;
        return {};
      },
    });
    const queue = new InputQueue(connectTo(server), 7, 'stdin');
    const abort = new AbortController();
    const first = queue.send(bytes('a'));
    const taken = queue.send(bytes('b'), { signal: abort.signal });
    const last = queue.send(bytes('c'));
    const reason = new Error('changed my mind');
    abort.abort(reason);
    await expect(taken).rejects.toBe(reason);
    await expect(queue.send(bytes('d'), { signal: abort.signal })).rejects.toBe(reason);
    free.resolve();
    await Promise.all([first, last]);
    expect(calls).toEqual(['a', 'c']);
  });

  test('of a stream is sent in pieces, one at a time, before what comes after it; its failure is its own', async () => {
    const calls: number[] = [];
    server = await serveProcesses({
      sendInput({ input }) {
        calls.push((input?.input.value as Uint8Array | undefined)?.length ?? 0);
        return {};
      },
    });
    const queue = new InputQueue(connectTo(server), 7, 'stdin');
    async function* source(failure?: Error) {
      yield new Uint8Array(600_000);
      yield new Uint8Array(5);
      if (failure) throw failure;
    }
    await Promise.all([queue.send(source()), queue.send(bytes('after'))]);
    expect(calls).toEqual([262_144, 262_144, 75_712, 5, 5]);
    const failure = new Error('the source dried up');
    await expect(queue.send(source(failure))).rejects.toBe(failure);
  });
});
