/** Assertions that run anywhere. Each says what it saw. */

export class AssertionError extends Error {
  override name = 'AssertionError';
}

export function ok(value: unknown, what: string): asserts value {
  if (!value) throw new AssertionError(what);
}

/** Compares by value: primitives, bytes, arrays and plain objects. */
export function equal<T>(actual: T, expected: T, what = 'value'): void {
  if (!same(actual, expected)) {
    throw new AssertionError(`${what}: expected ${shown(expected)}, got ${shown(actual)}`);
  }
}

/** Waits for a rejection with an error of a class and, if given, a stable code; returns it. */
export async function rejects<E extends Error & { code: string }>(
  work: Promise<unknown> | (() => Promise<unknown>),
  expected: abstract new (...args: never[]) => E,
  code?: string,
): Promise<E> {
  let value: unknown;
  try {
    value = await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (!(error instanceof expected)) {
      throw new AssertionError(`expected ${expected.name}, got ${describe(error)}`, { cause: error });
    }
    if (code !== undefined) equal(error.code, code, `the code of "${error.message}"`);
    return error;
  }
  throw new AssertionError(`expected ${expected.name}, but it resolved to ${shown(value)}`);
}

/** Polls until the condition holds; gives up after half a minute, which a busy machine may need. */
export async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new AssertionError(`waited half a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Bytes that repeat with a period of 251 × 256, so that a lost or doubled block shows; not valid UTF-8. */
export function patternBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i % 251) ^ ((i >>> 8) & 0xff);
  return bytes;
}

export async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  const [left, right] = [Object.entries(a), Object.entries(b)];
  const other = b as Record<string, unknown>;
  return left.length === right.length && left.every(([key, value]) => key in b && same(value, other[key]));
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes [${value.subarray(0, 16).join(' ')} …]`;
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return shown(error);
  const code = 'code' in error ? ` [${String(error.code)}]` : '';
  return `${error.name}${code}: ${error.message}`;
}
