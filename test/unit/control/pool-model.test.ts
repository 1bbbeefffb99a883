/** Whatever is done to a pool in whatever order: never too many sandboxes, first come first served, nothing left. */

import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSandboxPool } from '../../../src/control/pool/create-sandbox-pool.js';
import type { PoolLease } from '../../../src/control/pool/pool-lease.js';
import { type Act, FakeFleet, type FakeSandbox } from './support/fake-fleet.js';

const runs = Number(process.env.POOL_RUNS ?? 200);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Operation =
  | { do: 'acquire'; timeoutMs: number }
  | { do: 'abort' | 'release' | 'discard'; which: number }
  | { do: 'wait'; ms: number }
  | { do: 'fail'; act: Act }
  | { do: 'drain'; timeoutMs: number };

const which = fc.nat({ max: 9 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 25,
    arbitrary: fc.record({ do: fc.constant('acquire'), timeoutMs: fc.constantFrom(0, 5, 2_000) }),
  },
  { weight: 20, arbitrary: fc.record({ do: fc.constantFrom('release', 'discard'), which }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('abort'), which }) },
  {
    weight: 20,
    arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(0, 1, 10, 1_500, 200_000) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('fail'),
      act: fc.constantFrom<Act>('create', 'getInfo', 'isRunning', 'setTimeout', 'kill', 'reset'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drain'), timeoutMs: fc.constantFrom(0, 1_000) }) },
) as fc.Arbitrary<Operation>;

const settings = fc
  .record({
    min: fc.nat({ max: 3 }),
    more: fc.nat({ max: 3 }),
    idleMs: fc.constantFrom(0, 1_000),
    reuse: fc.boolean(),
    maxAgeMs: fc.constantFrom(0, 100_000),
    lifeMs: fc.constantFrom(1_000, 300_000),
    durations: fc.array(fc.constantFrom(0, 1, 7, 900), { minLength: 1, maxLength: 5 }),
  })
  .map(({ more, ...rest }) => ({ ...rest, max: Math.max(1, rest.min + more) }));

interface Caller {
  controller: AbortController;
  outcome?: 'served' | 'refused';
}

test('a pool keeps its promises', async () => {
  await fc.assert(
    fc.asyncProperty(settings, fc.array(operation, { maxLength: 40 }), async (given, operations) => {
      vi.clearAllTimers();
      const fleet = new FakeFleet();
      fleet.lifeMs = given.lifeMs;
      let turn = 0;
      fleet.takes = () => given.durations[turn++ % given.durations.length]!;
      const pool = createSandboxPool<FakeSandbox>({
        create: fleet.create,
        ...(given.reuse && { reset: fleet.reset }),
        min: given.min,
        max: given.max,
        idleMs: given.idleMs,
        maxAgeMs: given.maxAgeMs,
      });
      const faults: string[] = [];
      const callers: Caller[] = [];
      const held: PoolLease<FakeSandbox>[] = [];
      const inUse = new Set<number>();
      const used = new Set<number>();

      const acquire = (timeoutMs: number): void => {
        const caller: Caller = { controller: new AbortController() };
        callers.push(caller);
        pool.acquire({ timeoutMs, signal: caller.controller.signal }).then(
          (lease) => {
            const earlier = callers.slice(0, callers.indexOf(caller));
            if (earlier.some(({ outcome }) => !outcome)) faults.push('an earlier caller still waits');
            caller.outcome = 'served';
            const { number } = lease.sandbox;
            if (inUse.has(number)) faults.push('leased twice at a time');
            if (!given.reuse && used.has(number)) faults.push('used twice without a reset');
            if (!fleet.alive.has(number)) faults.push('a dead one was handed out');
            inUse.add(number);
            used.add(number);
            held.push(lease);
          },
          () => {
            caller.outcome = 'refused';
          },
        );
      };
      const giveBack = (how: 'release' | 'discard', index: number): void => {
        const [lease] = held.splice(index % Math.max(1, held.length), 1);
        if (!lease) return;
        inUse.delete(lease.sandbox.number);
        void lease[how]();
      };

      for (const one of operations) {
        if (one.do === 'acquire') acquire(one.timeoutMs);
        else if (one.do === 'abort') callers[one.which]?.controller.abort(new Error('aborted'));
        else if (one.do === 'wait') await vi.advanceTimersByTimeAsync(one.ms);
        else if (one.do === 'fail') fleet.failures.push(one.act);
        else if (one.do === 'drain') void pool.drain({ timeoutMs: one.timeoutMs });
        else giveBack(one.do, one.which);
        await vi.advanceTimersByTimeAsync(0);
        const { size, idle, leased, starting, busy } = pool.stats;
        expect(size).toBe(idle + leased + starting + busy);
        expect(size).toBeLessThanOrEqual(given.max);
        expect(pool.stats.waiting).toBe(callers.filter(({ outcome }) => !outcome).length);
      }
      expect(faults).toEqual([]);
      expect(fleet.most).toBeLessThanOrEqual(given.max);

      const drained = pool.drain({ timeoutMs: 1_000 });
      while (held.length > 0) giveBack('release', 0);
      await vi.advanceTimersByTimeAsync(60_000);
      await drained;
      expect(callers.filter(({ outcome }) => !outcome)).toEqual([]);
      expect([...fleet.alive]).toEqual([]);
      expect(pool.stats).toEqual({ idle: 0, leased: 0, starting: 0, busy: 0, size: 0, waiting: 0 });
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: runs },
  );
});
