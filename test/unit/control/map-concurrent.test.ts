import { expect, test } from 'vitest';
import { mapConcurrent } from '../../../src/control/map-concurrent.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('keeps the order of the items, and never more under way than it may', async () => {
  let running = 0;
  let most = 0;
  const results = await mapConcurrent([5, 1, 4, 2, 3], { concurrency: 2 }, async (item, index) => {
    most = Math.max(most, ++running);
    for (let i = 0; i < item; i++) await turn();
    running--;
    return `${index}:${item}`;
  });
  expect(results).toEqual(['0:5', '1:1', '2:4', '3:2', '4:3']);
  expect(most).toBe(2);
});

test('takes any iterable, results that are no promises, and nothing at all', async () => {
  expect(await mapConcurrent(new Set('abc'), {}, (letter) => letter.toUpperCase())).toEqual(['A', 'B', 'C']);
  expect(await mapConcurrent([], { concurrency: 1_000_000_000 }, () => 1)).toEqual([]);
});

test('after a failure starts nothing more, tells those under way, and waits for them', async () => {
  const started: number[] = [];
  let ended = false;
  const work = mapConcurrent([0, 1, 2, 3], { concurrency: 2 }, async (item, _index, signal) => {
    started.push(item);
    if (item === 0) throw new Error('the first');
    while (!signal.aborted) await turn();
    await turn();
    ended = true;
    throw new Error('a consequence');
  });
  await expect(work).rejects.toThrow('the first');
  expect(ended).toBe(true);
  expect(started).toEqual([0, 1]);
});

test('an abort starts nothing more and rejects with its reason', async () => {
  const controller = new AbortController();
  const started: number[] = [];
  const work = mapConcurrent([0, 1, 2], { concurrency: 1, signal: controller.signal }, async (item) => {
    started.push(item);
    controller.abort(new Error('enough'));
  });
  await expect(work).rejects.toThrow('enough');
  expect(started).toEqual([0]);

  const signal = AbortSignal.abort(new Error('before'));
  await expect(mapConcurrent([1], { signal }, (item) => started.push(item))).rejects.toThrow('before');
  expect(started).toEqual([0]);
});

test.each<[string, object, unknown]>([
  ['concurrency', { concurrency: 0 }, () => 1],
  ['concurrency', { concurrency: 2.5 }, () => 1],
  ['signal', { signal: 'no' }, () => 1],
  ['options', null as never, () => 1],
  ['work', {}, undefined],
])('refuses a wrong %s', async (name, options, work) => {
  await expect(mapConcurrent([1], options, work as never)).rejects.toThrow(name);
});

test.each([null, undefined, 3, {}])('refuses %j for the items', async (items) => {
  await expect(mapConcurrent(items as never, {}, () => 1)).rejects.toThrow('mapConcurrent: items');
});
