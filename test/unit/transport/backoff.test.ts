import { describe, expect, it } from 'vitest';
import { createBackoff } from '../../../src/transport/backoff.js';

describe('the backoff', () => {
  it('doubles its ceiling up to the limit, and draws from below it', () => {
    const longest = createBackoff({ random: () => 1 });
    expect(Array.from({ length: 8 }, () => longest.next())).toEqual([
      250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ]);
    const shortest = createBackoff({ random: () => 0 });
    expect([shortest.next(), shortest.next()]).toEqual([0, 0]);
  });

  it('starts again', () => {
    const backoff = createBackoff({ random: () => 0.5 });
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(125);
  });
});
