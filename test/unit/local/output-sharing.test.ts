import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ExitStatus } from '../../../src/local/envd/process/exit-status.js';
import { exitedWith } from '../../../src/local/envd/process/exit-status.js';
import { RunningProcess } from '../../../src/local/envd/process/running-process.js';
import type { Spawned } from '../../../src/local/envd/process/spawned.js';
import { ProcessConfigSchema } from '../../../src/wire/gen/process/process_pb.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new AbortController().signal;
const chunk = new Uint8Array(32 << 10);

/** A process whose output is what the test says. */
function fakeProcess() {
  let end!: (status: ExitStatus) => void;
  const ended = new Promise<ExitStatus>((resolve) => {
    end = resolve;
  });
  const state = { paused: false };
  const refuse = (): never => {
    throw new Error('not here');
  };
  const spawned: Spawned = {
    pid: 4711,
    ended,
    pause: () => {
      state.paused = true;
    },
    resume: () => {
      state.paused = false;
    },
    kill: refuse,
    writeStdin: refuse,
    writePty: refuse,
    closeStdin: refuse,
    resize: refuse,
  };
  const process = new RunningProcess(create(ProcessConfigSchema, { cmd: 'fake' }), undefined);
  void process.run(spawned);
  const write = (chunks: number): void => {
    for (let i = 0; i < chunks; i++) process.onOutput('stdout', chunk);
  };
  return { process, state, write, end };
}

test('the process is held exactly while a subscriber’s queue is full', async () => {
  const { process, state, write } = fakeProcess();
  const subscriber = process.subscribe();
  write(7);
  expect(state.paused).toBe(false);
  write(1);
  expect(state.paused).toBe(true);
  await subscriber.next(never, 1000);
  expect(state.paused).toBe(false);
});

test('without a subscriber output is discarded, and leaving frees the process', () => {
  const { process, state, write } = fakeProcess();
  write(100);
  expect(state.paused).toBe(false);
  const subscriber = process.subscribe();
  write(100);
  expect(state.paused).toBe(true);
  process.unsubscribe(subscriber);
  expect(state.paused).toBe(false);
});

test('one who stalls alone may hold the process for ever', async () => {
  const { process, state, write } = fakeProcess();
  const subscriber = process.subscribe();
  write(8);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(state.paused).toBe(true);
  expect((await subscriber.next(never, 1000)).type).toBe('output');
});

test('one who is slow slows all, and loses nothing', async () => {
  const { process, state, write } = fakeProcess();
  const slow = process.subscribe();
  const prompt = process.subscribe();
  const flood = async (): Promise<void> => {
    for (let written = 0; written < 10 && !state.paused; written++) {
      write(1);
      expect((await prompt.next(never, 1000)).type).toBe('output');
    }
  };
  for (let round = 0; round < 500; round++) {
    await flood();
    await vi.advanceTimersByTimeAsync(100);
    await flood();
    expect((await slow.next(never, 1000)).type).toBe('output');
  }
});

test('one who stalls does not stop the others, and is ended when its queue is full', async () => {
  const { process, state, write } = fakeProcess();
  const stalled = process.subscribe();
  const prompt = process.subscribe();
  const take = async (chunks: number): Promise<void> => {
    for (let i = 0; i < chunks; i++) expect((await prompt.next(never, 1000)).type).toBe('output');
  };
  write(8);
  await take(8);
  expect(state.paused).toBe(true);
  await vi.advanceTimersByTimeAsync(250);
  expect(state.paused).toBe(false);
  for (let round = 0; round < 60; round++) {
    write(4);
    await take(4);
    expect(state.paused).toBe(false);
  }
  // What waits for it until then is not lost to it.
  expect((await stalled.next(never, 1000)).type).toBe('output');
  write(7);
  await take(7);
  await expect(stalled.next(never, 1000)).rejects.toMatchObject({
    rawMessage: expect.stringContaining('too slow'),
  });
  write(1);
  await take(1);
});

test('two who stall hold the process together', async () => {
  const { process, state, write } = fakeProcess();
  const both = [process.subscribe(), process.subscribe()];
  write(8);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(state.paused).toBe(true);
  await both[0]!.next(never, 1000);
  expect(state.paused).toBe(false);
});

test('the end comes after what is queued', async () => {
  const { process, write, end } = fakeProcess();
  const subscriber = process.subscribe();
  write(2);
  end(exitedWith(3));
  await vi.advanceTimersByTimeAsync(0);
  const types = [];
  for (let i = 0; i < 3; i++) types.push((await subscriber.next(never, 1000)).type);
  expect(types).toEqual(['output', 'output', 'end']);
});

test('an aborted subscriber stops waiting with the reason', async () => {
  const { process } = fakeProcess();
  const controller = new AbortController();
  const next = process.subscribe().next(controller.signal, 3_600_000);
  controller.abort(new Error('enough'));
  await expect(next).rejects.toThrow('enough');
});
