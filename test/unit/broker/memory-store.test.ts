import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { heldBytes } from './support/held-bytes.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the memory of a process', () => {
  test('has a value until its time is over', () => {
    const store = createMemoryStore();
    store.set('a', 'x', Date.now() + 1000);
    vi.advanceTimersByTime(999);
    expect(store.get('a')).toBe('x');
    vi.advanceTimersByTime(1);
    expect(store.get('a')).toBeUndefined();
    expect(store.get('b')).toBeUndefined();
  });

  test('sets what is as it is expected to be, and nothing else', async () => {
    const store = createMemoryStore();
    const end = Date.now() + 1000;
    expect(await store.compareAndSet('a', 'x', 'y', end)).toBe(false);
    expect(store.get('a')).toBeUndefined();
    expect(await store.compareAndSet('a', undefined, 'x', end)).toBe(true);
    expect(await store.compareAndSet('a', undefined, 'y', end)).toBe(false);
    expect(await store.compareAndSet('a', 'z', 'y', end)).toBe(false);
    expect(store.get('a')).toBe('x');
    expect(await store.compareAndSet('a', 'x', 'y', end)).toBe(true);
    expect(store.get('a')).toBe('y');
    vi.setSystemTime(end);
    expect(await store.compareAndSet('a', 'y', 'z', end + 1000)).toBe(false);
    expect(await store.compareAndSet('a', undefined, 'z', end + 1000)).toBe(true);
  });

  test('is not filled up by what is over, and keeps what is not', () => {
    const store = createMemoryStore();
    store.set('kept', 'x', Date.now() + 3_600_000);
    const held = heldBytes(() => {
      for (let index = 0; index < 10_000; index++) {
        store.set(`${index} ${'k'.repeat(400)}`, 'x', Date.now() + 60_000);
        vi.advanceTimersByTime(100);
      }
    });
    // All of them would be several million bytes.
    expect(held).toBeLessThan(1_000_000);
    expect(store.get('kept')).toBe('x');
  });
});
