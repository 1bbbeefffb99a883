import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchSilence } from '../../../src/transport/silence.js';

const onTooLong = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  onTooLong.mockClear();
});

afterEach(() => vi.useRealTimers());

test('a wait that is too long is told, once', () => {
  watchSilence(100, onTooLong).begin();
  vi.advanceTimersByTime(99);
  expect(onTooLong).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onTooLong).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  expect(onTooLong).toHaveBeenCalledTimes(1);
});

test('each wait counts for itself', () => {
  const silence = watchSilence(100, onTooLong);
  for (let count = 0; count < 50; count++) {
    silence.begin();
    vi.advanceTimersByTime(90);
    silence.broken();
  }
  expect(onTooLong).not.toHaveBeenCalled();
  silence.begin();
  vi.advanceTimersByTime(100);
  expect(onTooLong).toHaveBeenCalledTimes(1);
});

test('time in which nothing is waited for does not count', () => {
  const silence = watchSilence(100, onTooLong);
  silence.begin();
  silence.broken();
  vi.advanceTimersByTime(1_000);
  silence.begin();
  vi.advanceTimersByTime(99);
  expect(onTooLong).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onTooLong).toHaveBeenCalledTimes(1);
});

test('without a limit, or at the end, there is no timer', () => {
  watchSilence(0, onTooLong).begin();
  const ended = watchSilence(100, onTooLong);
  ended.begin();
  ended.end();
  expect(vi.getTimerCount()).toBe(0);
});
