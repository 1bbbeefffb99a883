import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Exchange } from '../../../src/broker/exchange.js';
import { openReused } from '../../../src/broker/reused-sandbox.js';
import { storeKey } from '../../../src/broker/store-access.js';
import { claimOnce, type ExactStore } from '../../../src/broker/store-claim.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { SandboxNotFoundError } from '../../../src/errors.js';

const mark = { e2bEdgeSubject: 'ann' };
let store: ExactStore;
/** Sandboxes that there are, and those that are listed. */
let there: string[];
let listed: { sandboxID: string; startedAt: string; metadata: object }[];
let calls: string[];
let page: AbortController;
/** How often the store was asked, and the control plane for its list. */
let looks: number;
let lists: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  [there, listed, calls, looks, lists] = [[], [], [], 0, 0];
  page = new AbortController();
  const memory = createMemoryStore();
  store = {
    ...memory,
    get(key) {
      looks++;
      return memory.get(key);
    },
  };
});

afterEach(() => {
  vi.useRealTimers();
});

const control = {
  list: async () => {
    lists++;
    return { items: listed };
  },
  connect: async (id: string, options: object) => {
    calls.push(`connect ${id} ${JSON.stringify(options)}`);
    if (!there.includes(id)) throw new SandboxNotFoundError('gone');
    return { sandboxID: id, envdVersion: '1' };
  },
  create: async () => {
    calls.push('create');
    return { sandboxID: 'new', envdVersion: '1' };
  },
  kill: async (id: string) => {
    calls.push(`kill ${id}`);
    return true;
  },
};

function open(shared: ExactStore | undefined = store) {
  const exchange = {
    credentials: { control, store: shared },
    request: { signal: page.signal },
    context: {},
    event: {},
    exactStore: store,
  } as unknown as Exchange;
  return openReused(exchange, { templateID: 'base', timeout: 60 }, mark);
}

/** Somebody else is at it. */
async function claimed() {
  const answer = await claimOnce(store, await storeKey('own-sandbox', JSON.stringify(mark)), 60_000);
  if (answer.state !== 'mine') throw new Error('It is taken.');
  looks = 0;
  return answer.claim;
}

/** Lets it look as often as it likes, by a clock of its own. */
async function settled<T>(promise: Promise<T>, onLook: () => void = () => {}): Promise<T | Error> {
  let isOver = false;
  const result = promise
    .catch((error: Error) => error)
    .finally(() => {
      isOver = true;
    });
  while (!isOver) {
    // Digests are made on a thread of their own.
    await new Promise((resolve) => setImmediate(resolve));
    onLook();
    await vi.advanceTimersByTimeAsync(250);
  }
  return result;
}

test('the one that is listed is taken, and nothing is claimed for it', async () => {
  listed = [{ sandboxID: 'a', startedAt: '2026', metadata: mark }];
  there = ['a'];
  expect(await settled(open())).toMatchObject({ sandboxID: 'a' });
  expect(calls).toEqual(['connect a {"timeout":60}']);
  expect(looks).toBe(0);
});

test('where all servers have one store nobody else can have made one, and none is looked for', async () => {
  expect(await settled(open())).toMatchObject({ sandboxID: 'new' });
  expect([calls, lists]).toEqual([['create'], 1]);
});

test('whoever comes while another page’s is made waits for that one', async () => {
  const claim = await claimed();
  there = ['theirs'];
  const result = await settled(open(), () => {
    if (looks === 5) void claim.settle('theirs');
  });
  expect(result).toMatchObject({ sandboxID: 'theirs' });
  expect(calls).toEqual(['connect theirs {"timeout":60}']);
});

test('after half a minute the page is told to come again', async () => {
  await claimed();
  expect(await settled(open())).toMatchObject({
    code: 'service_busy',
    statusCode: 503,
    retryAfterMs: 1000,
  });
  expect(looks).toBe(120);
  expect(calls).toEqual([]);
});

test('a page that leaves is not waited for', async () => {
  await claimed();
  const result = await settled(open(), () => {
    if (looks === 3) page.abort();
  });
  expect(result).toMatchObject({ code: 'canceled', statusCode: 499 });
  expect(looks).toBe(3);
});

test('where another page’s has ended by then, one is made anew', async () => {
  const claim = await claimed();
  await claim.settle('theirs');
  expect(await settled(open())).toMatchObject({ sandboxID: 'new' });
  expect(calls).toEqual(['connect theirs {"timeout":60}', 'create']);
  there = ['new'];
  expect(await settled(open())).toMatchObject({ sandboxID: 'new' });
  expect(calls.at(-1)).toBe('connect new {"timeout":60}');
});

test('of two that were made at once the older one stays, if it is still there', async () => {
  const older = { sandboxID: 'older', startedAt: '2026-01', metadata: mark };
  const own = { sandboxID: 'new', startedAt: '2026-02', metadata: mark };
  for (const [isThere, expected] of [
    [true, 'older'],
    [false, 'new'],
  ] as const) {
    calls = [];
    listed = [];
    there = isThere ? ['older'] : [];
    store = createMemoryStore();
    const { create } = control;
    control.create = async () => {
      listed = [own, older];
      return create();
    };
    expect(await settled(openAlone())).toMatchObject({ sandboxID: expected });
    control.create = create;
    const looked = ['create', 'connect older {"timeout":60}'];
    expect(calls).toEqual(isThere ? [...looked, 'kill new'] : looked);
  }
});

test('what the control plane says of another page’s sandbox, but that it has ended, is told', async () => {
  const { connect } = control;
  control.connect = () => Promise.reject(new Error('no'));
  listed = [{ sandboxID: 'a', startedAt: '2026', metadata: mark }];
  expect(await settled(open())).toMatchObject({ code: 'upstream_unavailable' });
  control.connect = connect;
});

/** In a process whose store is its own alone. */
function openAlone() {
  return open({ ...store });
}
