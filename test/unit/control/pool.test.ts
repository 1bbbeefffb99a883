import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSandboxPool } from '../../../src/control/pool/create-sandbox-pool.js';
import type { SandboxPoolOptions } from '../../../src/control/pool/pool-options.js';
import type { SandboxPool } from '../../../src/control/pool/sandbox-pool.js';
import { AuthenticationError, RateLimitError } from '../../../src/errors.js';
import { FakeFleet, type FakeSandbox } from './support/fake-fleet.js';

let fleet: FakeFleet;

beforeEach(() => {
  vi.useFakeTimers();
  fleet = new FakeFleet();
});
afterEach(() => void vi.useRealTimers());

function open(options: Partial<SandboxPoolOptions<FakeSandbox>> = {}): SandboxPool<FakeSandbox> {
  return createSandboxPool({ create: fleet.create, min: 0, max: 3, ...options });
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** What became of a promise, so that a rejection that comes early is not unhandled. */
function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'resolved',
    (error: unknown) => error,
  );
}

describe('warm sandboxes', () => {
  test('are made at once, handed out and replaced', async () => {
    const pool = open({ min: 2 });
    await settle();
    expect(pool.stats).toMatchObject({ idle: 2, leased: 0 });
    const lease = await pool.acquire();
    await settle();
    expect(pool.stats).toMatchObject({ idle: 2, leased: 1, size: 3 });
    await pool.acquire();
    await settle();
    expect(pool.stats).toMatchObject({ idle: 1, leased: 2, size: 3 });
    await lease.release();
    await pool.close();
  });

  test('are kept alive however long they lie idle, and the clock of the server does not matter', async () => {
    fleet.lifeMs = 60_000;
    const pool = open({ min: 1, max: 1 });
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    expect(fleet.created).toBe(1);
    const { sandbox } = await pool.acquire();
    expect(sandbox.number).toBe(0);
    const { endAt } = await sandbox.getInfo();
    expect(endAt.getTime() - Date.now()).toBe(60_000);
    await pool.close();
  });

  test('of a life that cannot be asked for get the longest that can', async () => {
    fleet.lifeMs = 7 * 24 * 3_600_000;
    const pool = open({ min: 1, max: 1 });
    await settle();
    const { sandbox } = await pool.acquire();
    expect((await sandbox.getInfo()).endAt.getTime() - Date.now()).toBe(24 * 3_600_000);
    await pool.close();
  });

  test('that ended unseen are not handed out, and replaced', async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown, step: string) => void errors.push(`${step}: ${String(error)}`);
    const pool = open({ min: 1, max: 1, onError });
    await settle();
    fleet.alive.delete(0);
    const lease = await pool.acquire();
    expect(lease.sandbox.number).toBe(1);
    expect(errors).toEqual(['check: Error: sandbox 0 has ended']);
    await pool.close();
  });

  test('that ended unseen are replaced when their life is to be made longer', async () => {
    fleet.lifeMs = 60_000;
    const pool = open({ min: 1 });
    await settle();
    fleet.alive.delete(0);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(fleet.created).toBe(2);
    expect(pool.stats).toMatchObject({ idle: 1, size: 1 });
    await pool.close();
  });

  test('beyond min are killed when they were idle for long enough', async () => {
    const pool = open({ min: 1, reset: fleet.reset, idleMs: 10_000 });
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    for (const lease of leases) await lease.release();
    expect(pool.stats.idle).toBe(3);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(pool.stats.idle).toBe(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(pool.stats).toMatchObject({ idle: 1, size: 1 });
    await vi.advanceTimersByTimeAsync(600_000);
    expect(pool.stats.idle).toBe(1);
    await pool.close();
  });

  test('grow no older than maxAgeMs', async () => {
    const pool = open({ min: 1, maxAgeMs: 50_000 });
    await vi.advanceTimersByTimeAsync(50_000);
    expect(fleet.created).toBe(2);
    expect([...fleet.alive]).toEqual([1]);
    await pool.close();
  });

  test.each([
    ['says no', () => false],
    ['throws', () => Promise.reject(new Error('unwell'))],
  ])('are killed when the check %s', async (_what, check) => {
    const pool = open({ min: 1, max: 1, check });
    await settle();
    const lease = await pool.acquire();
    // The one that was made in its place is new, so nothing is to be checked.
    expect(lease.sandbox.number).toBe(1);
    expect(fleet.alive.has(0)).toBe(false);
    await pool.close();
  });

  test('are given up when the check does not end', async () => {
    const onError = vi.fn();
    const check = () => new Promise<boolean>(() => {});
    const pool = open({ min: 1, max: 1, stepTimeoutMs: 2_000, check, onError });
    await settle();
    const lease = pool.acquire();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(pool.stats).toMatchObject({ busy: 1, waiting: 1 });
    await vi.advanceTimersByTimeAsync(1);
    expect((await lease).sandbox.number).toBe(1);
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: 'pool_step_timeout' }), 'check');
    await pool.close();
  });

  test('are checked a thousand times without a trace', async () => {
    const listening = vi.spyOn(AbortSignal.prototype, 'addEventListener');
    const ending = vi.spyOn(AbortSignal.prototype, 'removeEventListener');
    const pool = open({ max: 1, reset: fleet.reset });
    for (let use = 0; use < 1_000; use++) await pool.use(() => undefined);
    expect(listening.mock.calls.length).toBeGreaterThan(1_000);
    expect(ending.mock.calls.length).toBe(listening.mock.calls.length);
    // One is for the end of the idle sandbox's life.
    expect(vi.getTimerCount()).toBe(1);
    vi.restoreAllMocks();
    await pool.close();
  });
});

describe('a lease', () => {
  test('is of a sandbox that nobody had before, unless there is a reset', async () => {
    const pool = open({ max: 1 });
    const first = await pool.acquire();
    await first.release();
    expect(fleet.alive.size).toBe(0);
    expect((await pool.acquire()).sandbox.number).toBe(1);
    await pool.close();
  });

  test('is of the same sandbox again after a reset, up to maxUses', async () => {
    const pool = open({ max: 1, reset: fleet.reset, maxUses: 2 });
    const numbers: number[] = [];
    for (let use = 0; use < 4; use++) {
      const lease = await pool.acquire();
      numbers.push(lease.sandbox.number);
      await lease.release();
    }
    expect(numbers).toEqual([0, 0, 1, 1]);
    expect(fleet.asked.reset).toBe(2);
    await pool.close();
  });

  test('whose reset fails harms nobody: the sandbox is killed and replaced', async () => {
    fleet.failures.push('reset');
    const steps: string[] = [];
    const pool = open({ max: 1, reset: fleet.reset, onError: (_error, step) => void steps.push(step) });
    const first = await pool.acquire();
    const second = pool.acquire();
    await first.release();
    expect((await second).sandbox.number).toBe(1);
    expect(steps).toEqual(['reset']);
    await pool.close();
  });

  test('is given back once, whatever is called after that', async () => {
    const pool = open({ max: 1, reset: fleet.reset });
    const lease = await pool.acquire();
    await Promise.all([lease.release(), lease.release()]);
    await lease.discard();
    await lease[Symbol.asyncDispose]();
    expect(fleet.asked.reset).toBe(1);
    expect(pool.stats.idle).toBe(1);
    await pool.close();
  });

  test('that is discarded ends the sandbox', async () => {
    const pool = open({ reset: fleet.reset });
    await (await pool.acquire()).discard();
    expect(fleet.alive.size).toBe(0);
    await pool.close();
  });

  test('is taken and given back by use, and discarded when that throws', async () => {
    const pool = open({ reset: fleet.reset });
    expect(await pool.use(({ number }) => number)).toBe(0);
    expect(pool.stats.idle).toBe(1);
    await expect(pool.use(() => Promise.reject(new Error('job')))).rejects.toThrow('job');
    expect(fleet.alive.size).toBe(0);
    await pool.close();
  });
});

describe('who waits', () => {
  test('is served in the order of coming, while others give up', async () => {
    const pool = open({ max: 1, reset: fleet.reset });
    const lease = await pool.acquire();
    const controller = new AbortController();
    const served: string[] = [];
    const first = pool.acquire();
    void first.then(() => served.push('first'));
    const aborted = outcome(pool.acquire({ signal: controller.signal }));
    const late = outcome(pool.acquire({ timeoutMs: 1_000 }));
    const last = pool.acquire();
    void last.then(() => served.push('last'));
    controller.abort(new Error('no more'));
    expect(await aborted).toMatchObject({ message: 'no more' });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await late).toMatchObject({
      name: 'TimeoutError',
      code: 'pool_timeout',
      message: expect.stringContaining('1 of at most 1 are in use'),
    });
    expect(pool.stats.waiting).toBe(2);
    await lease.release();
    await (await first).release();
    await (await last).release();
    expect(served).toEqual(['first', 'last']);
    await pool.close();
  });

  test('leaves no timer and no listener behind', async () => {
    const pool = open();
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    const lease = await pool.acquire({ signal: controller.signal, timeoutMs: 60_000 });
    expect(removed).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
    controller.abort();
    expect(pool.stats.leased).toBe(1);
    await lease.release();
  });

  test('whose signal is aborted already is refused, and nothing is created', async () => {
    const pool = open();
    await expect(pool.acquire({ signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early');
    expect(fleet.asked.create).toBe(undefined);
  });

  test('gives what was made for him to the next', async () => {
    fleet.takes = (act) => (act === 'create' ? 1_000 : 0);
    const pool = open({ max: 1 });
    const controller = new AbortController();
    const gone = outcome(pool.acquire({ signal: controller.signal }));
    controller.abort();
    await gone;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(pool.stats.idle).toBe(1);
    expect((await pool.acquire()).sandbox.number).toBe(0);
    await pool.close();
  });
});

describe('when create fails', () => {
  const failing = (error: Error) => ({ create: vi.fn(() => Promise.reject(error)) });

  test('those who wait are told why after three failures', async () => {
    const cause = new Error('no capacity');
    const { create } = failing(cause);
    const pool = open({ create });
    const told = outcome(pool.acquire());
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await told).toMatchObject({ code: 'pool_create_failed', cause });
    expect(create).toHaveBeenCalledTimes(3);
    await pool.close();
  });

  test('it is tried again ever more rarely, and never at once', async () => {
    const { create } = failing(new Error('down'));
    const pool = open({ create, min: 3, max: 10 });
    await settle();
    // The first three were under way together.
    expect(create).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(99);
    expect(create).toHaveBeenCalledTimes(3);
    const before = create.mock.calls.length;
    await vi.advanceTimersByTimeAsync(3_600_000);
    // Full jitter below 30 s: 240 in an hour, give or take.
    expect(create.mock.calls.length - before).toBeLessThan(400);
    expect(create.mock.calls.length - before).toBeGreaterThan(120);
    await pool.close();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('with what will not change, those who wait are told at once', async () => {
    const pool = open(failing(new AuthenticationError('wrong key')));
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'pool_create_failed',
      message: 'The pool could not create a sandbox: wrong key',
    });
    await pool.close();
  });

  test('it is waited for as long as the server asked', async () => {
    const { create } = failing(new RateLimitError('slowly', { retryAfterMs: 45_000 }));
    const pool = open({ create, min: 1 });
    await vi.advanceTimersByTimeAsync(44_999);
    expect(create).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(create).toHaveBeenCalledTimes(2);
    await pool.close();
  });

  test('and then works again, all are served', async () => {
    fleet.failures.push('create');
    const pool = open();
    const leases = Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await leases).map(({ sandbox }) => sandbox.number)).toHaveLength(3);
    await pool.close();
  });

  test('so that there is a sandbox of which nothing can be known, that is killed', async () => {
    fleet.failures.push('getInfo');
    const pool = open({ min: 1, max: 1 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect([...fleet.alive]).toEqual([1]);
    await pool.close();
  });

  test('or gives no sandbox, that is said', async () => {
    const pool = open({ create: (async () => undefined) as never });
    await expect(pool.acquire()).rejects.toThrow('create has to resolve to a Sandbox');
    await pool.close();
  });

  test('a caller that runs out of time is told of it', async () => {
    const cause = new Error('down');
    const pool = open({ ...failing(cause), maxFailures: 1_000 });
    const told = outcome(pool.acquire({ timeoutMs: 5_000 }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await told).toMatchObject({ code: 'pool_timeout', cause });
    await pool.close();
  });
});

describe('the end', () => {
  test('waits for leases, and refuses those who wait or come', async () => {
    const pool = open({ max: 1 });
    const lease = await pool.acquire();
    const waiting = outcome(pool.acquire());
    const drained = pool.drain();
    expect(await waiting).toMatchObject({ code: 'pool_closed' });
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'pool_closed' });
    await settle();
    expect(fleet.alive.size).toBe(1);
    await lease.release();
    await drained;
    expect(fleet.alive.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('waits for leases no longer than it was told', async () => {
    const pool = open();
    const lease = await pool.acquire();
    const drained = pool.drain({ timeoutMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    await drained;
    expect(fleet.alive.size).toBe(0);
    await lease.release();
    expect(fleet.asked.kill).toBe(1);
  });

  test('comes at once with close, also while it is drained', async () => {
    const pool = open();
    await pool.acquire();
    const drained = pool.drain();
    await pool.close();
    await drained;
    expect(fleet.alive.size).toBe(0);
  });

  test('reaches what create gives after it, even if that looks at no signal', async () => {
    fleet.takes = (act) => (act === 'create' ? 100_000 : 0);
    const pool = open({ min: 2 });
    const closed = pool.close();
    await vi.advanceTimersByTimeAsync(30_000);
    await closed;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(fleet.created).toBe(2);
    expect(fleet.alive.size).toBe(0);
  });

  test('tells create by its signal', async () => {
    let seen: AbortSignal | undefined;
    const pool = open({
      min: 1,
      create: ({ signal }) => {
        seen = signal;
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
      },
    });
    await pool.close();
    expect(seen?.aborted).toBe(true);
  });

  test('comes with the pool’s signal, and with its block', async () => {
    const controller = new AbortController();
    const pool = open({ min: 2, signal: controller.signal });
    await settle();
    controller.abort();
    await settle();
    expect(fleet.alive.size).toBe(0);
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'pool_closed' });

    const other = open({ min: 2 });
    await settle();
    await other[Symbol.asyncDispose]();
    expect(fleet.alive.size).toBe(0);
    expect(open({ min: 2, signal: AbortSignal.abort() }).stats.size).toBe(0);
  });

  test('leaves no listener at the pool’s signal', async () => {
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    await open({ signal }).drain();
    expect(removed).toHaveBeenCalledOnce();
  });

  test('is not held up by a kill that fails', async () => {
    fleet.failures.push('kill');
    const steps: string[] = [];
    const pool = open({ min: 1, onError: (_error, step) => void steps.push(step) });
    await settle();
    await pool.drain();
    expect(steps).toEqual(['kill']);
  });
});

describe('options', () => {
  test.each<[string, object]>([
    ['create', {}],
    ['create', { create: 'base' }],
    ['min', { min: -1 }],
    ['min', { min: 4, max: 3 }],
    ['min', { min: 1.5 }],
    ['max', { max: 0 }],
    ['max', { max: '3' }],
    ['idleMs', { idleMs: -1 }],
    ['idleMs', { idleMs: null }],
    ['reset', { reset: true }],
    ['check', { check: 'isRunning' }],
    ['maxUses', { maxUses: 0, reset: () => undefined }],
    ['maxUses', { maxUses: 3 }],
    ['maxAgeMs', { maxAgeMs: Number.NaN }],
    ['acquireTimeoutMs', { acquireTimeoutMs: '60s' }],
    ['stepTimeoutMs', { stepTimeoutMs: -5 }],
    ['maxFailures', { maxFailures: 0 }],
    ['onError', { onError: console }],
    ['signal', { signal: {} }],
  ])('%s of %j is refused by name', (name, options) => {
    const create = name === 'create' ? {} : { create: fleet.create };
    const made = (): unknown => createSandboxPool({ ...create, ...options } as never);
    expect(made).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(made).toThrow(name);
    expect(fleet.asked.create).toBe(undefined);
  });

  test('of calls are refused by name', async () => {
    const pool = open();
    await expect(pool.acquire({ timeoutMs: -1 })).rejects.toThrow('timeoutMs');
    await expect(pool.use('echo hi' as never)).rejects.toThrow('use: work');
    await expect(pool.acquire({ signal: 1 as never })).rejects.toThrow('signal');
    await expect(pool.drain({ timeoutMs: 'soon' as never })).rejects.toThrow('timeoutMs');
    expect(pool.stats.waiting).toBe(0);
  });

  test('that are undefined were not given', async () => {
    const pool = createSandboxPool({ create: fleet.create, min: undefined, max: undefined } as never);
    await settle();
    expect((pool as SandboxPool<FakeSandbox>).stats.idle).toBe(1);
    await pool.close();
  });
});
