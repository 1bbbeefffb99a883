import type { SessionStore } from '../../broker/session-store.js';
import { InvalidArgumentError } from '../../errors.js';
import type { DurableObjectNamespaceLike } from './workers-types.js';

/** What of a Durable Object's state is used. */
export interface DurableObjectStateLike {
  storage: {
    get<T>(key: string): Promise<T | undefined>;
    put<T>(key: string, value: T): Promise<void>;
    setAlarm(at: number): Promise<void>;
    deleteAll(): Promise<void>;
  };
}

interface Entry {
  value: string;
  expiresAt: number;
}

/** `expected` is absent where any value may be replaced, and null where there may be none. */
type StoreRequest = { set?: Entry; expected?: string | null };

const entryKey = 'entry';

/**
 * The Durable Object behind {@link createDurableObjectStore}: each holds one value, and is empty again once that has run
 * out. Export it from the Worker's module.
 */
export class SessionStoreObject {
  readonly #storage: DurableObjectStateLike['storage'];

  constructor({ storage }: DurableObjectStateLike, _env?: unknown) {
    this.#storage = storage;
  }

  /** Takes the store's own requests; only the Worker can reach the object. */
  async fetch(request: Request): Promise<Response> {
    const { set, expected } = (await request.json()) as StoreRequest;
    const entry = await this.#storage.get<Entry>(entryKey);
    const value = entry && entry.expiresAt > Date.now() ? entry.value : null;
    if (!set) return Response.json({ value });
    // Between the read and the write nothing else is awaited, so no other request comes in between.
    const isSet = expected === undefined || expected === value;
    if (isSet) await Promise.all([this.#storage.put(entryKey, set), this.#storage.setAlarm(set.expiresAt)]);
    return Response.json({ isSet });
  }

  /** What has run out costs no storage any more. */
  async alarm(): Promise<void> {
    const entry = await this.#storage.get<Entry>(entryKey);
    if (entry && entry.expiresAt > Date.now()) await this.#storage.setAlarm(entry.expiresAt);
    else await this.#storage.deleteAll();
  }
}

/**
 * A store of Durable Objects, one for each key: none of them is a bottleneck, each is near who uses it, and all of it is
 * consistent at once everywhere.
 *
 * As an option of the broker: `store: (env) => createDurableObjectStore(env.SESSION_STORE)`.
 * @param namespace the binding whose class is {@link SessionStoreObject}.
 * @throws {InvalidArgumentError} code `invalid_option`: nothing is bound.
 */
export function createDurableObjectStore(namespace: DurableObjectNamespaceLike): Required<SessionStore> {
  if (typeof namespace?.idFromName !== 'function') {
    throw new InvalidArgumentError(
      'createDurableObjectStore takes a Durable Object namespace: bind the exported class SessionStoreObject, as SESSION_STORE.',
      { code: 'invalid_option' },
    );
  }

  async function ask(
    key: string,
    request: StoreRequest,
  ): Promise<{ value?: string | null; isSet?: boolean }> {
    const object = namespace.get(namespace.idFromName(key) as never);
    const body = JSON.stringify(request);
    const response = await object.fetch(new Request('https://store.invalid/', { method: 'POST', body }));
    if (!response.ok) throw new Error(`the Durable Object answered ${response.status}`);
    return response.json() as Promise<{ value?: string | null; isSet?: boolean }>;
  }

  return {
    get: async (key) => (await ask(key, {})).value ?? undefined,
    async set(key, value, expiresAt) {
      await ask(key, { set: { value, expiresAt } });
    },
    async compareAndSet(key, expected, value, expiresAt) {
      const { isSet } = await ask(key, { set: { value, expiresAt }, expected: expected ?? null });
      return isSet === true;
    },
  };
}
