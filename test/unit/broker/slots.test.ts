import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSlots, type Slots } from '../../../src/broker/slots.js';
import { heldBytes } from './support/held-bytes.js';

let slots: Slots;

beforeEach(() => {
  vi.useFakeTimers();
  slots = createSlots();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** One whose request workerd has dropped, with the timer that it had. */
function takeAndDrop(name: string): (() => void) | undefined {
  vi.stubGlobal('setInterval', () => undefined);
  const leave = slots.take([[name, 1]]);
  vi.unstubAllGlobals();
  return leave;
}

describe('a slot that was dropped', () => {
  test('is taken for half a minute, and then is nobody’s', () => {
    takeAndDrop('a');
    vi.advanceTimersByTime(30_000);
    expect(slots.take([['a', 1]])).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(slots.take([['a', 1]])).toBeDefined();
  });

  test('is free in time, whatever else is open for longer or not for as long', () => {
    slots.take([['before', 1]]);
    takeAndDrop('a');
    vi.advanceTimersByTime(20_000);
    takeAndDrop('b');
    vi.advanceTimersByTime(10_001);
    expect(slots.take([['a', 1]])).toBeDefined();
    expect(slots.take([['b', 1]])).toBeUndefined();
    expect(slots.take([['before', 1]])).toBeUndefined();
    vi.advanceTimersByTime(20_000);
    expect(slots.take([['b', 1]])).toBeDefined();
  });

  test('and is left after all frees nobody else’s', () => {
    const leave = takeAndDrop('a');
    vi.advanceTimersByTime(30_001);
    slots.take([['a', 1]]);
    leave?.();
    expect(slots.take([['a', 1]])).toBeUndefined();
  });
});

test('a slot whose machine slept is taken again once it wakes', () => {
  slots.take([['a', 2]]);
  vi.setSystemTime(Date.now() + 3_600_000);
  slots.take([['a', 2]]);
  vi.advanceTimersByTime(10_000);
  expect(slots.take([['a', 2]])).toBeUndefined();
});

test('where one name is used up, none of the others is taken', () => {
  slots.take([['a', 1]]);
  const both: [string, number][] = [
    ['b', 1],
    ['a', 1],
  ];
  expect(slots.take(both)).toBeUndefined();
  expect(slots.take([['b', 1]])).toBeDefined();
});

test('nothing is held of what was left, nor of what was dropped', () => {
  const page = (index: number): [string, number][] => [[`${index} ${'x'.repeat(400)}`, 1]];
  vi.stubGlobal('setInterval', () => undefined);
  const left = heldBytes(() => {
    for (let index = 0; index < 10_000; index++) slots.take(page(index))?.();
  });
  const dropped = heldBytes(() => {
    for (let index = 0; index < 10_000; index++) {
      slots.take(page(index));
      vi.setSystemTime(Date.now() + 100);
    }
  });
  // All of them would be several million bytes.
  expect(left).toBeLessThan(1_000_000);
  expect(dropped).toBeLessThan(1_000_000);
});
