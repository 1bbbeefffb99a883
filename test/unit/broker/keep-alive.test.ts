import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createKeepAlive, keepAliveInterval } from '../../../src/broker/keep-alive.js';
import type { SessionClaims } from '../../../src/broker/session-token.js';
import type { Credentials } from '../../../src/broker/settings.js';

const claims = (keep?: number, sbx = 'i1') =>
  ({ sbx, ...(keep !== undefined && { keep }) }) as unknown as SessionClaims;

describe('a sandbox that somebody is attached to', () => {
  let asked: [string, number][];
  let answer: () => Promise<void>;
  const credentials = {
    control: {
      extend(sandboxId: string, seconds: number) {
        asked.push([sandboxId, seconds]);
        return answer();
      },
    },
  } as unknown as Credentials;

  beforeEach(() => {
    asked = [];
    answer = async () => undefined;
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
  });
  afterEach(() => vi.useRealTimers());

  test.each([
    [undefined, 60_000],
    [0, 500],
    [1, 500],
    [20, 10_000],
    [120, 60_000],
    [121, 60_000],
    [86_400, 60_000],
  ])('with %j seconds to live on is extended every %i ms', (keep, everyMs) => {
    expect(keepAliveInterval(claims(keep))).toBe(everyMs);
  });

  test('is extended by as long as it lives on, an hour at most, if its session may', async () => {
    const keepAlive = createKeepAlive();
    await keepAlive(claims(), credentials);
    await keepAlive(claims(300), credentials);
    await keepAlive(claims(3601, 'i2'), credentials);
    expect(asked).toEqual([
      ['i1', 300],
      ['i2', 3600],
    ]);
  });

  test('is extended once for all who are, in half of the interval', async () => {
    const keepAlive = createKeepAlive();
    await keepAlive(claims(20), credentials);
    vi.setSystemTime(1_004_999);
    await keepAlive(claims(20), credentials);
    expect(asked).toHaveLength(1);
    vi.setSystemTime(1_005_000);
    await keepAlive(claims(20), credentials);
    expect(asked).toHaveLength(2);
  });

  test('is tried again at once where that failed', async () => {
    const keepAlive = createKeepAlive();
    answer = () => Promise.reject(new Error('down'));
    await expect(keepAlive(claims(20), credentials)).rejects.toMatchObject({ code: 'upstream_unavailable' });
    answer = async () => undefined;
    await keepAlive(claims(20), credentials);
    expect(asked).toHaveLength(2);
  });
});
