import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createBoundedCache } from '../../../src/broker/bounded-cache.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('a value is good for as long as is said, from when it was set last', () => {
  const cache = createBoundedCache<number>(1000, 10);
  cache.set('a', 1);
  vi.advanceTimersByTime(999);
  expect(cache.get('a')).toBe(1);
  cache.set('a', 2);
  vi.advanceTimersByTime(999);
  expect(cache.get('a')).toBe(2);
  vi.advanceTimersByTime(1);
  expect(cache.get('a')).toBeUndefined();
  expect(cache.get('b')).toBeUndefined();
});

test('of as many as may be, the one that was set longest ago makes room', () => {
  const cache = createBoundedCache<number>(1000, 2);
  const known = () => ['a', 'b', 'c'].filter((key) => cache.get(key) !== undefined);
  cache.set('a', 1);
  cache.set('b', 1);
  cache.set('a', 2);
  expect(known()).toEqual(['a', 'b']);
  cache.set('c', 1);
  expect(known()).toEqual(['a', 'c']);
  cache.delete('a');
  expect(known()).toEqual(['c']);
  cache.set('b', 1);
  expect(known()).toEqual(['b', 'c']);
});
