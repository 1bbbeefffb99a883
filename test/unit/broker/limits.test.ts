import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type BrokerLimits, createLimits, type SlotKind } from '../../../src/broker/limits.js';
import type { ExactStore } from '../../../src/broker/store-claim.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { createBroker } from '../../../src/broker.js';
import { origin, secret } from './support/harness.js';

const ann = { sid: 's1', sub: 'ann' };

describe('slots', () => {
  test.each<[SlotKind, string]>([
    ['call', 'too_many_calls'],
    ['stream', 'too_many_streams'],
    ['terminal', 'too_many_terminals'],
    ['socket', 'too_many_sockets'],
    ['preview', 'too_many_previews'],
  ])('of the kind %s are as many as is said, a session and four times that a subject', (kind, code) => {
    const limits = createLimits({ calls: 2, streams: 2, terminals: 2, sockets: 2, previews: 2 });
    const refusal = expect.objectContaining({ code, statusCode: 429, retryAfterMs: 2000 });
    const leave = limits.enter(kind, ann);
    limits.enter(kind, ann);
    expect(() => limits.enter(kind, ann)).toThrow(refusal);
    for (const sid of ['s2', 's3', 's4']) {
      limits.enter(kind, { ...ann, sid });
      limits.enter(kind, { ...ann, sid });
    }
    expect(() => limits.enter(kind, { ...ann, sid: 's5' })).toThrow(refusal);
    limits.enter(kind, { sid: 's6', sub: 'bob' });
    leave();
    leave();
    limits.enter(kind, { ...ann, sid: 's5' });
    expect(() => limits.enter(kind, { ...ann, sid: 's5' })).toThrow(refusal);
  });

  test('are free again after any order of coming and going', () => {
    const steps = fc.array(
      fc.record({
        come: fc.boolean(),
        kind: fc.constantFrom<SlotKind>('call', 'stream', 'terminal', 'socket', 'preview'),
        session: fc.integer({ min: 0, max: 5 }),
        subject: fc.integer({ min: 0, max: 2 }),
        which: fc.nat(),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const limits = createLimits({ calls: 2, streams: 3, terminals: 2, sockets: 1, previews: 4 });
        const most = { call: 2, stream: 3, terminal: 2, socket: 1, preview: 4 };
        const open: { kind: SlotKind; sid: string; sub: string; leave: () => void }[] = [];
        const left: (() => void)[] = [];
        for (const { come, kind, session, subject, which } of all) {
          const owner = { sid: `${subject}.${session}`, sub: `u${subject}` };
          if (come) {
            const mine = open.filter((slot) => slot.kind === kind);
            const full =
              mine.filter(({ sid }) => sid === owner.sid).length >= most[kind] ||
              mine.filter(({ sub }) => sub === owner.sub).length >= most[kind] * 4;
            if (full) expect(() => limits.enter(kind, owner)).toThrow();
            else open.push({ kind, ...owner, leave: limits.enter(kind, owner) });
          } else {
            const [slot] = open.splice(which % Math.max(open.length, 1), 1);
            slot?.leave();
            if (slot) left.push(slot.leave);
            // An end that is told twice is one end.
            left[which % Math.max(left.length, 1)]?.();
          }
        }
        for (const { leave } of open) leave();
        for (const sub of ['u0', 'u1', 'u2']) {
          for (let count = 0; count < 12; count++)
            limits.enter('stream', { sid: `${sub} ${count >> 1}`, sub });
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a slot', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is held for as long as it is not left, and holds no timer after that', () => {
    const limits = createLimits({ streams: 1 });
    const leave = limits.enter('stream', ann);
    vi.advanceTimersByTime(3_600_000);
    expect(() => limits.enter('stream', ann)).toThrow();
    leave();
    limits.enter('stream', ann)();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is free again when its request was dropped with all of its timers', () => {
    const limits = createLimits({ streams: 1 });
    const leave = limits.enter('stream', ann);
    vi.clearAllTimers();
    vi.advanceTimersByTime(20_000);
    expect(() => limits.enter('stream', ann)).toThrow();
    vi.advanceTimersByTime(20_000);
    limits.enter('stream', ann);
    leave();
    expect(() => limits.enter('stream', ann)).toThrow();
  });
});

describe('mints', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('of a subject are so many in any minute', async () => {
    const store = createMemoryStore();
    const limits = createLimits({ mintsPerMinute: 2 });
    await limits.mint('ann', store);
    vi.advanceTimersByTime(20_000);
    await limits.mint('ann', store);
    await expect(limits.mint('ann', store)).rejects.toMatchObject({
      code: 'rate_limited',
      statusCode: 429,
      retryAfterMs: 40_000,
    });
    await limits.mint('bob', store);
    vi.advanceTimersByTime(40_000);
    await limits.mint('ann', store);
    await expect(limits.mint('ann', store)).rejects.toMatchObject({ retryAfterMs: 20_000 });
  });

  test('are counted once for all brokers of one store', async () => {
    const store = createMemoryStore();
    const brokers = [createLimits({ mintsPerMinute: 7 }), createLimits({ mintsPerMinute: 7 })];
    // All of the first round see the same.
    const slow: ExactStore = {
      ...store,
      get: async (key) => {
        const value = store.get(key);
        await new Promise((resolve) => setTimeout(resolve, 1));
        return value;
      },
    };
    const tries = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => brokers[index % 2]?.mint('ann', slow)),
    );
    const refused = tries.filter((one) => one.status === 'rejected');
    expect(refused).toHaveLength(33);
    // All of them know by when there are turns again.
    for (const { reason } of refused) expect(reason).toMatchObject({ retryAfterMs: 60_000 });
  });

  test('are refused where others are always sooner', async () => {
    const store: ExactStore = {
      ...createMemoryStore(),
      compareAndSet: () => new Promise((resolve) => setImmediate(resolve, false)),
    };
    await expect(createLimits({ mintsPerMinute: 2 }).mint('ann', store)).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 1000,
    });
  });

  test('are refused where the store fails', async () => {
    const store: ExactStore = {
      ...createMemoryStore(),
      compareAndSet: () => Promise.reject(new Error('down')),
    };
    await expect(createLimits().mint('ann', store)).rejects.toMatchObject({ code: 'broker_misconfigured' });
  });

  test('and refreshes are counted apart', async () => {
    const limits = createLimits({ mintsPerMinute: 1 });
    await limits.mint('s1', createMemoryStore());
    await limits.refresh('s1');
    await limits.refresh('s2');
    await expect(limits.refresh('s1')).rejects.toMatchObject({ code: 'rate_limited' });
  });
});

describe('the head of a request', () => {
  test('may be so long', () => {
    const { checkHead } = createLimits({ headerBytes: 2000 });
    const withHeader = (length: number) =>
      new Request('https://any.test/', { headers: { a: 'b'.repeat(length) } });
    checkHead(withHeader(1999));
    expect(() => checkHead(withHeader(2000))).toThrow(expect.objectContaining({ code: 'headers_too_large' }));
    const headers: Record<string, string> = {};
    for (let index = 0; index < 20; index++) headers[`x-${index}`] = 'b'.repeat(100);
    expect(() => checkHead(new Request('https://any.test/', { headers }))).toThrow(
      expect.objectContaining({ code: 'headers_too_large', statusCode: 431 }),
    );
    const address = `https://any.test/?${'q'.repeat(1982)}`;
    checkHead(new Request(address));
    expect(() => checkHead(new Request(`${address}q`))).toThrow(
      expect.objectContaining({ code: 'uri_too_long', statusCode: 414 }),
    );
  });
});

describe('options', () => {
  test.each([
    { streams: 0 },
    { streams: '16' },
    { streams: 1.5 },
    { mintsPerMinute: 1001 },
    { mintsPerMinute: Number.POSITIVE_INFINITY },
    { messageBytes: 1023 },
    { messageBytes: 16_777_217 },
    { helloMs: 99 },
    { helloMs: 60_001 },
    { headerBytes: 1023 },
    { uploadBytes: 0 },
    { previews: 0 },
    { terminals: 0 },
    { sockets: 0 },
    { mintsPerMinute: 0 },
    { hello: 5000 },
    { stream: 5 },
    { sockets: null },
    [],
    null,
  ])('%j are wrong, and it is said which', (limits) => {
    const options = {
      apiKey: 'e2b_1',
      signingKeys: { current: secret },
      origins: [origin],
      authorize: () => null,
      limits: limits as never,
    };
    expect(() => createBroker(options)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    const [name = 'limits'] = Object.keys(limits ?? {});
    expect(() => createBroker(options)).toThrow(name);
  });

  test('have the defaults that they are said to have', () => {
    expect(createLimits().max).toEqual({
      mintsPerMinute: 10,
      calls: 64,
      terminals: 4,
      sockets: 8,
      streams: 16,
      previews: 128,
      uploadBytes: Number.MAX_SAFE_INTEGER,
      messageBytes: 1_114_112,
      headerBytes: 16_384,
      helloMs: 5000,
    });
  });

  test.each<BrokerLimits>([
    {
      mintsPerMinute: 1000,
      messageBytes: 16_777_216,
      helloMs: 60_000,
      uploadBytes: Number.MAX_SAFE_INTEGER,
    },
    {
      mintsPerMinute: 1,
      terminals: 1,
      sockets: 1,
      streams: 1,
      previews: 1,
      uploadBytes: 1,
      messageBytes: 1024,
      headerBytes: 1024,
      helloMs: 100,
    },
  ])('may be %j', (limits) => {
    expect(createLimits(limits).max).toMatchObject(limits);
  });

  test('that are undefined are the defaults', () => {
    expect(createLimits({ streams: undefined as never }).max.streams).toBe(16);
  });
});
