import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { askStore } from '../../../src/broker/store-access.js';
import { type Claimed, claimOnce, type ExactStore, takeOneOf } from '../../../src/broker/store-claim.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';

let store: ExactStore;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  store = createMemoryStore();
});

afterEach(() => {
  vi.useRealTimers();
});

const ask = (useless?: string) => claimOnce(store, 'k', 60_000, { useless });

async function mine(claimed: Promise<Claimed>) {
  const answer = await claimed;
  if (answer.state !== 'mine') throw new Error(`It is ${answer.state}.`);
  return answer.claim;
}

/** A store whose answers were all asked for before anything was written. */
function lateStore(): ExactStore {
  return {
    ...store,
    get: async (key) => {
      const value = store.get(key);
      await new Promise((resolve) => setImmediate(resolve));
      return value;
    },
  };
}

describe('what is to be done once', () => {
  test('is the first one’s to do, and its result is everybody’s for as long as it is kept', async () => {
    const claim = await mine(ask());
    expect(await ask()).toEqual({ state: 'pending' });
    await claim.settle('done:x');
    expect(await ask()).toEqual({ state: 'done', result: 'done:x' });
    vi.advanceTimersByTime(59_999);
    expect(await ask()).toEqual({ state: 'done', result: 'done:x' });
    vi.advanceTimersByTime(1);
    await mine(ask());
  });

  test('is the next one’s where it failed, or where nothing was heard of it for a minute and a half', async () => {
    const failed = await mine(ask());
    await failed.release();
    await mine(ask());
    vi.advanceTimersByTime(89_999);
    expect(await ask()).toEqual({ state: 'pending' });
    vi.advanceTimersByTime(1);
    const late = await mine(ask());
    await failed.settle('too late');
    expect(await ask()).toEqual({ state: 'pending' });
    await late.settle('x');
    await failed.release();
    expect(await ask()).toEqual({ state: 'done', result: 'x' });
  });

  test('is done again where its result is of no use any more', async () => {
    await (await mine(ask())).settle('x');
    expect(await ask('y')).toEqual({ state: 'done', result: 'x' });
    await (await mine(ask('x'))).settle('z');
    expect(await ask('x')).toEqual({ state: 'done', result: 'z' });
  });

  test('is one’s alone of many at once', async () => {
    const late = lateStore();
    const all = await Promise.all(Array.from({ length: 5 }, () => claimOnce(late, 'k', 60_000)));
    expect(all.map(({ state }) => state).sort()).toEqual([
      'mine',
      'pending',
      'pending',
      'pending',
      'pending',
    ]);
  });
});

describe('so many of something', () => {
  test('are had by so many, of all who ask at once', async () => {
    const late = lateStore();
    const end = Date.now() + 1000;
    const all = await Promise.all(Array.from({ length: 5 }, () => takeOneOf(late, 'k', 2, end)));
    expect(all.filter((isOne) => isOne)).toHaveLength(2);
    vi.setSystemTime(end);
    expect(await takeOneOf(late, 'k', 2, end + 1000)).toBe(true);
  });
});

describe('a store', () => {
  test('may know nothing by null as well, and give it late or at once', async () => {
    for (const none of [null, Promise.resolve(null)]) {
      const end = Date.now() + 1000;
      const loose = { ...store, get: () => none as never };
      await mine(claimOnce(loose, `${none}`, 1000));
      expect(await takeOneOf(loose, `n${none}`, 1, end)).toBe(true);
    }
  });

  test('is asked without a wait where it answers at once', async () => {
    const answer = askStore('x', () => 7);
    const first = await Promise.race([answer, Promise.resolve().then(() => 'later')]);
    expect(first).toBe(7);
    expect(await askStore('x', () => null)).toBeNull();
    expect(await askStore('x', () => undefined)).toBeUndefined();
  });
});
