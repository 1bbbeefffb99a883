import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ControlApi } from '../../../src/control/api.js';
import { type CreateOnceOptions, createOnce } from '../../../src/control/create-once.js';
import type { NewSandbox, SandboxRecord } from '../../../src/control/records.js';
import { ConnectionError, RateLimitError, SandboxError, SandboxNotFoundError } from '../../../src/errors.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const lost = (): ConnectionError => new ConnectionError('lost', { code: 'connection_lost', uncertain: true });
const recordOf = (sandboxID: string): SandboxRecord => ({
  sandboxID,
  templateID: 'base',
  envdVersion: '0.6.13',
});

/** A control plane of which `create` does what each call's step says, and the rest works on what there is. */
function controlPlane(steps: ((there: Map<string, NewSandbox>) => void)[]) {
  const there = new Map<string, NewSandbox>();
  const calls: string[] = [];
  const api: Partial<ControlApi> = {
    create: async (sandbox) => {
      calls.push('create');
      const id = `i${calls.length}`;
      there.set(id, sandbox);
      steps.shift()?.(there);
      return recordOf(id);
    },
    connect: async (id, { timeout }) => {
      calls.push(`connect ${timeout}`);
      return recordOf(id);
    },
    list: async ({ metadata }) => {
      calls.push('list');
      const items = [...there].filter(([, { metadata: has }]) =>
        Object.entries(metadata ?? {}).every(([name, value]) => has?.[name] === value),
      );
      return { items: items.map(([sandboxID]) => ({ sandboxID }) as never) };
    },
    info: async (id) => {
      calls.push(`info ${id}`);
      if (!there.has(id)) throw new SandboxNotFoundError('gone');
      return {} as never;
    },
    kill: async (id) => {
      calls.push(`kill ${id}`);
      return there.delete(id);
    },
  };
  return { api: api as ControlApi, there, calls };
}

/** Runs a creation to its end, and what follows it, as fast as the clock can be turned. */
async function run(
  api: ControlApi,
  options: Partial<CreateOnceOptions> = {},
  sandbox: Partial<NewSandbox> = {},
) {
  const works: Promise<void>[] = [];
  const all: CreateOnceOptions = {
    idempotencyKey: undefined,
    sendKey: true,
    logger: undefined,
    waitUntil: (work) => void works.push(work),
    ...options,
  };
  const outcome = createOnce(api, { templateID: 'base', ...sandbox }, {}, all).then(
    (record) => record.sandboxID,
    (error: unknown) => error,
  );
  await vi.advanceTimersByTimeAsync(120_000);
  await Promise.all(works);
  return { outcome: await outcome, works: works.length };
}

describe('a create', () => {
  test('that is answered is one request, marked beside the metadata of its own', async () => {
    const { api, there, calls } = controlPlane([]);
    expect(await run(api, {}, { metadata: { a: 'b' } })).toEqual({ outcome: 'i1', works: 0 });
    expect(calls).toEqual(['create']);
    expect(there.get('i1')?.metadata).toEqual({
      a: 'b',
      'e2b-edge-create': expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test('that is refused is looked for by nobody', async () => {
    const refused = new RateLimitError('too many');
    const { api, calls } = controlPlane([
      () => {
        throw refused;
      },
    ]);
    expect(await run(api)).toEqual({ outcome: refused, works: 0 });
    expect(calls).toEqual(['create']);
  });

  test('whose answer is lost is taken up, with the life that it was to have', async () => {
    const { api, there, calls } = controlPlane([
      () => {
        throw lost();
      },
    ]);
    expect(await run(api, {}, { timeout: 60 })).toEqual({ outcome: 'i1', works: 0 });
    expect(calls).toEqual(['create', 'list', 'connect 60']);
    expect(there.size).toBe(1);
  });

  test('that is lost twice is given up, and what appears later is killed', async () => {
    const failure = lost();
    const lose = (there: Map<string, NewSandbox>): never => {
      const [[id, sandbox] = []] = [...there].slice(-1);
      there.clear();
      setTimeout(() => there.set(`late-${id}`, sandbox as NewSandbox), 9_000);
      throw failure;
    };
    const { api, there, calls } = controlPlane([lose, lose]);
    expect(await run(api)).toEqual({ outcome: failure, works: 1 });
    expect(there.size).toBe(0);
    expect(calls.filter((call) => call === 'create')).toHaveLength(2);
    expect(calls.filter((call) => call.startsWith('kill late-'))).toHaveLength(2);
  });

  test('is not made again while it cannot be asked whether it was', async () => {
    const failure = lost();
    const { api, calls } = controlPlane([
      () => {
        throw failure;
      },
    ]);
    const list = api.list;
    api.list = async (...call) => {
      if (calls.length > 3) return list(...call);
      calls.push('list fails');
      throw new ConnectionError('down');
    };
    expect(await run(api)).toEqual({ outcome: failure, works: 1 });
    expect(calls).toEqual(['create', 'list fails', 'list fails', 'list fails', 'list', 'kill i1']);
  });

  test('that the control plane says is under way already is waited for', async () => {
    const conflict = new SandboxError('409: the same key', { statusCode: 409 });
    const { api, there, calls } = controlPlane([
      (all) => {
        all.clear();
        throw lost();
      },
      (all) => {
        const [[, sandbox] = []] = [...all];
        all.clear();
        setTimeout(() => all.set('i1', sandbox as NewSandbox), 1_000);
        throw conflict;
      },
    ]);
    expect(await run(api, { idempotencyKey: 'order-7' })).toEqual({ outcome: 'i1', works: 0 });
    expect([...there.keys()]).toEqual(['i1']);
    expect(calls.filter((call) => call === 'create')).toHaveLength(2);
    const first = controlPlane([
      () => {
        throw conflict;
      },
    ]);
    expect(await run(first.api)).toEqual({ outcome: conflict, works: 0 });
  });

  test.each(['idempotency_in_progress', 'idempotency_outcome_unknown'])(
    'that was sent twice unseen, and answered with %s, is looked for',
    async (code) => {
      const { api, there, calls } = controlPlane([
        () => {
          throw new SandboxError('the same key', { statusCode: 409, code });
        },
      ]);
      expect(await run(api)).toEqual({ outcome: 'i1', works: 0 });
      expect(calls).toEqual(['create', 'list', 'connect undefined']);
      expect(there.size).toBe(1);
    },
  );

  test('with a key of its own that made what has ended makes another one', async () => {
    const { api, there, calls } = controlPlane([(all) => all.clear()]);
    const keys: unknown[] = [];
    const create = api.create;
    api.create = (sandbox, call) => {
      keys.push(call?.idempotencyKey);
      return create(sandbox, call);
    };
    expect(await run(api, { idempotencyKey: 'order-7' })).toEqual({ outcome: 'i4', works: 0 });
    expect(calls).toEqual(['list', 'create', 'info i2', 'create']);
    expect(there.get('i4')?.metadata).toEqual({ 'e2b-edge-create': 'order-7' });
    expect(keys).toEqual(['order-7', expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  test('has what it left behind killed, and no copy of what it gave', async () => {
    const { api, there } = controlPlane([
      (all) => {
        const [[, sandbox] = []] = [...all];
        all.clear();
        setTimeout(() => all.set('late', sandbox as NewSandbox), 10_000);
        throw lost();
      },
      (all) => {
        const [[id, sandbox] = []] = [...all];
        setTimeout(() => all.set(`fork of ${id}`, sandbox as NewSandbox), 5_000);
      },
    ]);
    const waitUntil = (): never => {
      throw new TypeError('Illegal invocation');
    };
    const { outcome } = await run(api, { waitUntil });
    expect([...there.keys()].sort()).toEqual([`fork of ${outcome}`, outcome].sort());
  });

  test('needs nobody to wait for what goes on behind it', async () => {
    const { api, there } = controlPlane([
      (all) => {
        const [[, sandbox] = []] = [...all];
        all.clear();
        setTimeout(() => all.set('late', sandbox as NewSandbox), 10_000);
        throw lost();
      },
    ]);
    const { outcome } = await run(api, { waitUntil: undefined });
    expect([...there.keys()]).toEqual([outcome]);
  });

  test('with a key of its own is looked up first, and left alone afterwards', async () => {
    const { api, there, calls } = controlPlane([
      (all) => {
        const [[id, sandbox] = []] = [...all];
        all.clear();
        setTimeout(() => all.set(id as string, sandbox as NewSandbox), 60_000);
        throw lost();
      },
      () => {
        throw lost();
      },
    ]);
    api.list = async () => ({ items: [] });
    expect(await run(api, { idempotencyKey: 'order-7' })).toMatchObject({ works: 0 });
    expect(there.size).toBe(2);
    expect([...there.values()].map(({ metadata }) => metadata)).toEqual(
      Array(2).fill({ 'e2b-edge-create': 'order-7' }),
    );
    expect(calls.some((call) => call.startsWith('kill'))).toBe(false);
  });

  test('tells its logger what it does behind the caller’s back', async () => {
    const said: string[] = [];
    const failure = lost();
    const { api } = controlPlane([
      (all) => {
        all.clear();
        throw failure;
      },
    ]);
    await run(api, { logger: { warn: (message) => void said.push(String(message)) } });
    expect(said).toEqual([
      expect.stringMatching(/looked for$/),
      expect.stringMatching(/looked for and killed$/),
    ]);
  });
});
