import { expect, test, vi } from 'vitest';
import type { Channel, ChannelEvent } from '../../../src/channel/channel.js';
import { EventQueue } from '../../../src/channel/event-queue.js';
import type { ProcessControls } from '../../../src/sandbox/process-controls.js';
import { PtyHandle } from '../../../src/sandbox/pty-handle.js';

const output: ChannelEvent = { type: 'output', offset: 0, data: Uint8Array.of(65) };
const exit: ChannelEvent = { type: 'exit', exitCode: 0, status: 'exit status 0' };

function channelOf(...events: ChannelEvent[]) {
  const queue = new EventQueue<ChannelEvent>();
  const print = (event: ChannelEvent) => {
    queue.push(event);
    if (event.type === 'exit') queue.end();
  };
  events.forEach(print);
  const close = vi.fn(() => queue.end());
  const channel = {
    pid: 7,
    ack: vi.fn(),
    close,
    [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
  };
  return { print, close, channel: channel as unknown as Channel };
}

const controls = {} as ProcessControls;

test('wait beside a loop takes nothing away from it', async () => {
  const { print, channel } = channelOf(output);
  const handle = new PtyHandle(channel, controls);
  const seen: string[] = [];
  const loop = (async () => {
    for await (const { type } of handle) {
      seen.push(type);
      if (type === 'output') print(exit);
    }
  })();
  expect(await handle.wait()).toMatchObject({ exitCode: 0 });
  await loop;
  expect(seen).toEqual(['output', 'exit']);
});

test('wait goes on where a loop was left', async () => {
  const { channel } = channelOf(output, output, exit);
  const handle = new PtyHandle(channel, controls);
  for await (const _event of handle) break;
  expect(await handle.wait()).toMatchObject({ exitCode: 0 });
});

test('a second reader is refused', async () => {
  const { channel } = channelOf(output, exit);
  const handle = new PtyHandle(channel, controls, { onData: () => undefined });
  const read = async () => {
    for await (const _event of handle);
  };
  await expect(read()).rejects.toMatchObject({ name: 'InvalidArgumentError', code: 'already_reading' });
  expect(await handle.wait()).toMatchObject({ exitCode: 0 });
});

test('an onData that throws lets go of the terminal, and wait tells why', async () => {
  const { channel, close } = channelOf(output, output);
  const failure = new Error('drawing failed');
  const handle = new PtyHandle(channel, controls, {
    onData: () => {
      throw failure;
    },
  });
  await expect(handle.wait()).rejects.toBe(failure);
  expect(close).toHaveBeenCalledOnce();
});

test('wait says that the handle was disconnected, and does not make an exit up', async () => {
  const { channel } = channelOf();
  const handle = new PtyHandle(channel, controls);
  const waiting = handle.wait();
  await handle.disconnect();
  await expect(waiting).rejects.toMatchObject({ name: 'SandboxError', code: 'disconnected' });
});
