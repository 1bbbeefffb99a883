/** What every store has to do, for any runtime: it takes nothing but the store. */

import type { SessionStore } from '../../../../src/broker/session-store.js';

export interface StoreResult {
  name: string;
  error?: string;
}

type Case = (store: SessionStore, key: string) => Promise<void>;

const soon = (): number => Date.now() + 60_000;

const cases: Record<string, Case> = {
  'knows nothing at first': async (store, key) => {
    equal(await store.get(key), undefined);
  },
  'keeps the last value of each key': async (store, key) => {
    await store.set(key, 'one', soon());
    await store.set(`${key}-2`, 'two', soon());
    equal(await store.get(key), 'one');
    await store.set(key, 'three: ä "quoted" \n', soon());
    equal(await store.get(key), 'three: ä "quoted" \n');
    equal(await store.get(`${key}-2`), 'two');
  },
  'takes keys of 128 characters and values of 32 KiB': async (store, key) => {
    const longKey = `${key}:${'k'.repeat(128)}`.slice(0, 128);
    const value = 'v'.repeat(32 * 1024);
    await store.set(longKey, value, soon());
    equal(await store.get(longKey), value);
  },
  'forgets a value whose time is over': async (store, key) => {
    await store.set(key, 'past', Date.now() - 1000);
    equal(await store.get(key), undefined);
    await store.set(key, 'short', Date.now() + 300);
    while ((await store.get(key)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    await store.set(key, 'again', soon());
    equal(await store.get(key), 'again');
  },
};

const atomicCases: Record<string, Case> = {
  'compares before it sets': async (store, key) => {
    equal(await store.compareAndSet?.(key, 'other', 'no', soon()), false);
    equal(await store.get(key), undefined);
    equal(await store.compareAndSet?.(key, undefined, 'one', soon()), true);
    equal(await store.compareAndSet?.(key, undefined, 'two', soon()), false);
    equal(await store.compareAndSet?.(key, 'two', 'three', soon()), false);
    equal(await store.compareAndSet?.(key, 'one', 'two', soon()), true);
    equal(await store.get(key), 'two');
  },
  'finds nothing to compare with in what has run out': async (store, key) => {
    await store.set(key, 'past', Date.now() - 1000);
    equal(await store.compareAndSet?.(key, 'past', 'no', soon()), false);
    equal(await store.compareAndSet?.(key, undefined, 'fresh', soon()), true);
    equal(await store.get(key), 'fresh');
  },
  'lets exactly one of 100 at once win': async (store, key) => {
    for (const [round, expected] of [undefined, 'start'].entries()) {
      const raced = `${key}-${round}`;
      if (expected !== undefined) await store.set(raced, expected, soon());
      const tries = Array.from({ length: 100 }, (_, index) =>
        store.compareAndSet?.(raced, expected, `winner ${index}`, soon()),
      );
      const won = await Promise.all(tries);
      equal(won.filter(Boolean).length, 1);
      equal(await store.get(raced), `winner ${won.indexOf(true)}`);
    }
  },
  'loses no count of 20 that count at once': async (store, key) => {
    const count = async (): Promise<void> => {
      for (;;) {
        const value = await store.get(key);
        if (await store.compareAndSet?.(key, value, String(Number(value ?? 0) + 1), soon())) return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, count));
    equal(await store.get(key), '20');
  },
};

/** Runs all cases that the store has the methods for. */
export async function runStoreSuite(store: SessionStore): Promise<StoreResult[]> {
  const results: StoreResult[] = [];
  const all = store.compareAndSet ? { ...cases, ...atomicCases } : cases;
  for (const [index, [name, run]] of Object.entries(all).entries()) {
    try {
      await run(store, `case-${index}-${crypto.randomUUID()}`);
      results.push({ name });
    } catch (error) {
      results.push({ name, error: String(error) });
    }
  }
  return results;
}

function equal(found: unknown, wanted: unknown): void {
  if (found !== wanted)
    throw new Error(`found ${JSON.stringify(found)} in the place of ${JSON.stringify(wanted)}`);
}
