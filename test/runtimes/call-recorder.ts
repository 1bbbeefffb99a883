/**
 * Notes which methods of the package a case calls, while they work as before. Runs inside every runtime. Calls that a
 * method makes before its first `await` are its own affair and do not count.
 */

type Method = (...args: unknown[]) => unknown;
type Class = abstract new (...args: never[]) => object;

/** The interfaces that are given as plain objects, by what returns them. */
const plainObjects: Record<string, string> = {
  createClient: 'Client',
  'SandboxPool#acquire': 'PoolLease',
  'Sandbox#openPreview': 'Preview',
};

export class CallRecorder {
  readonly #seen = new WeakSet<object>();
  #calls = new Set<string>();
  #depth = 0;

  /** The same entry, with its functions and the methods of its classes watched. */
  watchEntry<Entry extends object>(entry: Entry): Entry {
    const watched = { ...entry } as Record<string, unknown>;
    for (const [name, value] of Object.entries(entry)) {
      if (typeof value !== 'function') continue;
      if (!isClass(value)) watched[name] = this.#recording(name, value as Method);
      else if (!(value.prototype instanceof Error)) this.#watchClass(value);
    }
    return watched as unknown as Entry;
  }

  /** Those called since the last time, as `Sandbox.create` for a static method and `Sandbox#kill` for others. */
  take(): string[] {
    const calls = [...this.#calls].sort();
    this.#calls = new Set();
    return calls;
  }

  #watchClass(one: Class): void {
    if (this.#seen.has(one)) return;
    this.#seen.add(one);
    const parent: unknown = Object.getPrototypeOf(one);
    if (isClass(parent)) this.#watchClass(parent);
    this.#watchMembers(one);
    this.#watchMembers(one.prototype);
  }

  #watchMembers(owner: object, interfaceName?: string): void {
    for (const key of Reflect.ownKeys(owner)) {
      const member = Object.getOwnPropertyDescriptor(owner, key)!;
      if (key === 'constructor' || key === 'prototype' || !member.configurable) continue;
      if (isClass(member.value)) this.#watchClass(member.value);
      else if (typeof member.value === 'function') {
        const value = this.#recording(nameOf(key), member.value as Method, interfaceName);
        Object.defineProperty(owner, key, { ...member, value });
      } else if (member.get) {
        const { get } = member;
        const found = (value: unknown): unknown => this.#found(value);
        Object.defineProperty(owner, key, {
          ...member,
          get(this: unknown) {
            return found(Reflect.apply(get, this, []));
          },
        });
      }
    }
  }

  #recording(name: string, method: Method, interfaceName?: string): Method {
    const call = (self: unknown, args: unknown[]): unknown => {
      const names = interfaceName === undefined ? fullNames(self, name) : [`${interfaceName}#${name}`];
      if (this.#depth === 0) for (const full of names) this.#calls.add(full);
      this.#depth++;
      try {
        const plain = names.map((full) => plainObjects[full]).find((found) => found !== undefined);
        return this.#found(Reflect.apply(method, self, args), plain);
      } finally {
        this.#depth--;
      }
    };
    return function (this: unknown, ...args: unknown[]) {
      return call(this, args);
    };
  }

  /** What comes out of the package may be of a class that is not exported. */
  #found<T>(value: T, interfaceName?: string): T {
    if (value instanceof Promise) {
      // The caller gets this promise, so that a rejection that nobody handles still shows.
      return value.then((result: unknown) => this.#found(result, interfaceName)) as T;
    }
    if (Array.isArray(value)) for (const item of value) this.#found(item);
    else if (typeof value === 'object' && value !== null) {
      if (interfaceName !== undefined) this.#watchMembers(value, interfaceName);
      else this.#foundObject(value);
    }
    return value;
  }

  #foundObject(value: object): void {
    const one: unknown = value.constructor;
    if (!isClass(one) || isBuiltIn(one) || value instanceof Error) return;
    if (this.#seen.has(value)) return;
    this.#seen.add(value);
    this.#watchClass(one);
    // A member that an instance has of itself, as `[Symbol.asyncDispose]` where the runtime has no such symbol.
    this.#watchMembers(value);
    for (const member of Object.values(value)) this.#found(member);
  }
}

function isClass(value: unknown): value is Class {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

function isBuiltIn(one: Class): boolean {
  return (globalThis as Record<string, unknown>)[one.name] === one;
}

/** A method's name with that of its class, and with those of the classes that this one extends. */
function fullNames(self: unknown, name: string): string[] {
  const names: string[] = [];
  const isStatic = isClass(self);
  let one: unknown = isStatic ? self : Object(self ?? {}).constructor;
  for (; isClass(one); one = Object.getPrototypeOf(one)) {
    names.push(`${one.name}${isStatic ? '.' : '#'}${name}`);
  }
  // A function of an entry has no class.
  return names.length > 0 ? names : [name];
}

function nameOf(key: string | symbol): string {
  if (typeof key === 'string') return key;
  // Its description is another in Node 20.
  return key === Symbol.asyncDispose ? '[Symbol.asyncDispose]' : `[${key.description}]`;
}
