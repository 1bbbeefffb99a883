import { describe, expect, test } from 'vitest';
import { safeCause } from '../../../src/broker/safe-cause.js';

describe('what failed underneath, in the log,', () => {
  test.each([
    ['to https://ann:word@host/path?key=1#part failed', 'to https://…@host/path?… failed'],
    [
      'of wss://host/a?b, "http://host/c#d" (https://host/e?f)',
      'of wss://host/a?… "http://host/c?…" (https://host/e?…)',
    ],
    ["'ws://host?x' [https://host/y?z]", "'ws://host?… [https://host/y?…]".replace('?… [', "?…' [")],
    ['https://host/plain stays', 'https://host/plain stays'],
    ['//ann@host', '//…@host'],
    ['mail ann@host', 'mail ann@host'],
    ['token eyJhbGciOiJ.eyJzdWIi-_x.c2ln-_ here', 'token [token] here'],
    ['both eyJa.b.c eyJd.e.f', 'both [token] [token]'],
    ['no token eyJa.b', 'no token eyJa.b'],
    ['inside xeyJa.b.c', 'inside xeyJa.b.c'],
    ['key e2b_0aZ9 and e2b_1', 'key [key] and [key]'],
    ['not xe2b_1', 'not xe2b_1'],
    ['e2b_', 'e2b_'],
  ])('%s is %s', (message, expected) => {
    expect(safeCause(message)).toBe(expected);
    expect((safeCause(new Error(message)) as Error).message).toBe(expected);
  });

  test('is its name, its words, its code and where it was thrown, and nothing else of it', () => {
    const error = Object.assign(new TypeError('failed at https://host/x?secret\n and more e2b_1'), {
      code: 'ECONNRESET',
      request: { headers: { authorization: 'secret' } },
    });
    const safe = safeCause(error) as Error & { code?: unknown };
    expect(safe).not.toBe(error);
    expect(safe).toMatchObject({ name: 'TypeError', code: 'ECONNRESET' });
    expect(Object.keys(safe).sort()).toEqual(['code', 'name']);
    const [first, second, ...rest] = safe.stack?.split('\n') ?? [];
    expect(first).toBe('TypeError: failed at https://host/x?…');
    expect(second).toBe(' and more [key]');
    expect(rest.length).toBeGreaterThan(0);
    for (const line of rest) expect(line).toMatch(/^\s+at /);
    expect(rest).toEqual(error.stack?.split('\n').filter((line) => line.startsWith('    at ')));
    expect(safe.stack).not.toContain('secret');
  });

  test('may have a number for a code, and none that is something else', () => {
    expect(safeCause(Object.assign(new Error('x'), { code: 7 }))).toMatchObject({ code: 7 });
    expect(safeCause(Object.assign(new Error('x'), { code: { secret: 1 } }))).not.toHaveProperty('code');
    expect(safeCause(new Error('x'))).not.toHaveProperty('code');
  });

  test('is no more than its kind where it is no error', () => {
    expect(safeCause({ secret: 1 })).toBe('object');
    expect(safeCause(undefined)).toBe('undefined');
  });

  test('may have no stack', () => {
    const error = new Error('x');
    delete error.stack;
    expect((safeCause(error) as Error).stack).toBe('Error: x');
    error.stack = 'Error: x\n  secret at https://host\n    at f (file.js:1:1)\nlast at the end';
    expect((safeCause(error) as Error).stack).toBe('Error: x\n    at f (file.js:1:1)');
  });

  test('has what was behind it, as safe, and not without an end', () => {
    let error = new Error('e2b_0');
    for (let depth = 1; depth <= 9; depth++) error = new Error(`e2b_${depth}`, { cause: error });
    const seen: unknown[] = [];
    for (let next: unknown = safeCause(error); next instanceof Error; next = next.cause)
      seen.push(next.message);
    expect(seen).toEqual(Array.from({ length: 6 }, () => '[key]'));
    const safe = safeCause(new Error('x', { cause: 'https://host?secret' })) as Error;
    expect(safe.cause).toBe('https://host?…');
    expect(Object.getOwnPropertyDescriptor(safe, 'cause')).toMatchObject({
      enumerable: false,
      configurable: true,
    });
    expect(safeCause(new Error('x'))).not.toHaveProperty('cause');
  });
});
