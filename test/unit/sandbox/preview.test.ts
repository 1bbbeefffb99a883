import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConnectionError, type E2BEdgeError, PermissionDeniedError } from '../../../src/errors.js';
import { keepPreview } from '../../../src/sandbox/preview.js';

let failure: E2BEdgeError | undefined;
let end: (() => void) | undefined;
const enter = vi.fn(async () => {
  if (failure) throw failure;
  return { url: 'https://3000-i1.preview.example/', ttlMs: 300_000 };
});
const attach = (onEnd: () => void) => {
  end = onEnd;
  return () => {
    end = undefined;
  };
};

beforeEach(() => {
  vi.useFakeTimers();
  enter.mockClear();
  failure = undefined;
});
afterEach(() => vi.useRealTimers());

test('a preview is entered again before its time is over, until it is closed', async () => {
  const preview = await keepPreview(enter, {}, attach);
  expect(preview.url).toBe('https://3000-i1.preview.example/');
  await vi.advanceTimersByTimeAsync(269_000);
  expect(enter).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(enter).toHaveBeenCalledTimes(2);
  preview.close();
  expect(end).toBeUndefined();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(enter).toHaveBeenCalledTimes(2);
});

test('what ends the first call does not end what it opened', async () => {
  const { signal } = new AbortController();
  await keepPreview(enter, { signal }, attach);
  await vi.advanceTimersByTimeAsync(271_000);
  expect(enter.mock.calls).toEqual([[{ signal }], [{}]]);
});

test('a broker in trouble is asked again soon, and one that refuses no more', async () => {
  await keepPreview(enter, {}, attach);
  failure = new ConnectionError('away', { code: 'connection_failed', retryable: true });
  await vi.advanceTimersByTimeAsync(271_000);
  expect(enter).toHaveBeenCalledTimes(2);
  failure = new PermissionDeniedError('no');
  await vi.advanceTimersByTimeAsync(6_000);
  expect(enter).toHaveBeenCalledTimes(3);
  expect(end).toBeUndefined();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(enter).toHaveBeenCalledTimes(3);
});

test('it ends with its session', async () => {
  await keepPreview(enter, {}, attach);
  end?.();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(enter).toHaveBeenCalledTimes(1);
});
