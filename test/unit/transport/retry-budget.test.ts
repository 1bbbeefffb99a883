import { expect, test } from 'vitest';
import { giveBack, takeRetry } from '../../../src/transport/retry-budget.js';

/** How many retries a server is good for, at once. */
function taken(origin: string): number {
  let count = 0;
  while (takeRetry(origin)) count++;
  return count;
}

test('a retry more for every ten calls that succeed', () => {
  expect(taken('a')).toBe(100);
  for (let call = 0; call < 9; call++) giveBack('a');
  expect(taken('a')).toBe(0);
  for (let call = 0; call < 10; call++) giveBack('a');
  expect(taken('a')).toBe(1);
});

test('a thousand servers are kept in mind, and of more the oldest is forgotten', () => {
  taken('oldest');
  for (let server = 1; server < 1_000; server++) takeRetry(`server ${server}`);
  expect(taken('server 1')).toBe(99);
  takeRetry('one more');
  expect(taken('server 1')).toBe(0);
  expect(taken('oldest')).toBe(100);
});
