/** Notes which methods of an object are called, while they work as before. */
export class CalledMethods {
  readonly #called = new Set<string>();
  readonly #all = new Set<string>();

  /** `owner` is a prototype, or a class for its static methods; what it inherits counts too. */
  watch(label: string, owner: object): void {
    for (const [name, method] of methodsOf(owner)) {
      const full = `${label}.${name}`;
      this.#all.add(full);
      const called = this.#called;
      Object.defineProperty(owner, name, {
        configurable: true,
        writable: true,
        value(this: unknown, ...args: unknown[]) {
          called.add(full);
          return Reflect.apply(method, this, args);
        },
      });
    }
  }

  /** Those that nobody has called. */
  missed(): string[] {
    return [...this.#all].filter((name) => !this.#called.has(name)).sort();
  }
}

type Method = (...args: unknown[]) => unknown;

function methodsOf(owner: object): [string, Method][] {
  const found = new Map<string, Method>();
  for (
    let at: object | null = owner;
    at && at !== Object.prototype && at !== Function.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== 'constructor' && typeof value === 'function' && !found.has(name)) found.set(name, value);
    }
  }
  return [...found];
}
