import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { abortable, startDeadline, withDeadline } from '../../../src/transport/deadline.js';

describe('a deadline', () => {
  test.each([-1, Number.NaN, '5' as unknown as number])('refuses %s as a limit', (requestTimeoutMs) => {
    expect(() => startDeadline({ requestTimeoutMs }, 'call')).toThrow(/requestTimeoutMs is/);
  });

  test.each([0, Number.POSITIVE_INFINITY, 2 ** 31])('waits for ever with %s', async (requestTimeoutMs) => {
    const slow = () => new Promise((resolve) => setTimeout(resolve, 20, 'answer'));
    expect(await withDeadline({ requestTimeoutMs }, 'call', slow)).toBe('answer');
  });

  test('leaves nothing on a signal that outlives its calls', async () => {
    const { signal } = new AbortController();
    await withDeadline({ signal }, 'call', async () => undefined);
    await withDeadline({ signal }, 'call', () => Promise.reject(new Error('no'))).catch(() => undefined);
    await abortable(Promise.resolve(), signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('no longer ends what has been answered, while the signal still does', async () => {
    const controller = new AbortController();
    const deadline = startDeadline({ requestTimeoutMs: 5, signal: controller.signal }, 'call');
    deadline.met();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(deadline.signal.aborted).toBe(false);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(deadline.signal.reason).toBe(reason);
  });
});
