import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sessionRevoked } from '../../../src/broker/refusals.js';
import { type SessionLife, watchLife } from '../../../src/broker/session-life.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function watched(life: SessionLife) {
  const over = vi.fn();
  return { over, stop: watchLife(life, over) };
}

describe('a session', () => {
  test('that has no end and is not asked about is watched by nothing', () => {
    watched({});
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is over at its end, and not before', async () => {
    const { over } = watched({ until: Date.now() + 5_000 });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(over).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(over.mock.calls).toEqual([[expect.objectContaining({ code: 'session_expired' })]]);
  });

  test('is over at once where its end has passed', async () => {
    const { over } = watched({ until: Date.now() - 5_000 });
    expect(over).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(over).toHaveBeenCalledTimes(1);
  });

  test('is asked about as often as notices its end within 30 s, and not all the time', async () => {
    const check = vi.fn(async () => undefined);
    const { over, stop } = watched({ check });
    await vi.advanceTimersByTimeAsync(300_000);
    expect(check).toHaveBeenCalledTimes(12);
    expect(over).not.toHaveBeenCalled();
    stop();
  });

  test('is over with the first answer that it was revoked', async () => {
    const check = vi.fn(() => Promise.reject(sessionRevoked()));
    const { over } = watched({ check });
    await vi.advanceTimersByTimeAsync(24_000);
    expect(check).toHaveBeenCalledTimes(1);
    expect(over.mock.calls).toEqual([[expect.objectContaining({ code: 'session_revoked' })]]);
  });

  test('is over once, also where it is revoked while its time ends', async () => {
    let refuse: (error: Error) => void = () => undefined;
    const check = () =>
      new Promise<void>((_, reject) => {
        refuse = reject;
      });
    const { over } = watched({ until: Date.now() + 25_000, check });
    await vi.advanceTimersByTimeAsync(25_000);
    refuse(sessionRevoked());
    await vi.advanceTimersByTimeAsync(0);
    expect(over.mock.calls).toEqual([[expect.objectContaining({ code: 'session_expired' })]]);
  });
});

describe('a store that fails', () => {
  const failing = (...which: boolean[]) => {
    const check = vi.fn(async () => {
      if (which[check.mock.calls.length - 1]) throw new Error('down');
    });
    return check;
  };

  test('once is asked again soon, and then as before', async () => {
    const check = failing(true, false, true, false);
    const { over, stop } = watched({ check });
    await vi.advanceTimersByTimeAsync(26_000);
    expect(check).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(26_000);
    expect(check).toHaveBeenCalledTimes(4);
    expect(over).not.toHaveBeenCalled();
    stop();
  });

  test('twice in a row ends the session within 30 s, for its own reason', async () => {
    const { over } = watched({ check: failing(true, true) });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(over.mock.calls).toEqual([[new Error('down')]]);
  });
});

describe('what is stopped', () => {
  test('is told nothing of an end that was just being found out', async () => {
    for (const settle of [
      () => undefined,
      () => Promise.reject(sessionRevoked()),
      () => Promise.reject(new Error()),
    ]) {
      let answer: () => void = () => undefined;
      const check = () =>
        new Promise<void>((resolve) => {
          answer = () => resolve(settle());
        });
      const { over, stop } = watched({ until: Date.now() + 600_000, check });
      await vi.advanceTimersByTimeAsync(24_000);
      stop();
      answer();
      await vi.advanceTimersByTimeAsync(0);
      expect(vi.getTimerCount()).toBe(0);
      expect(over).not.toHaveBeenCalled();
    }
  });
});
