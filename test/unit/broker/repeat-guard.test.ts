import { afterEach, expect, test, vi } from 'vitest';
import { createRepeatGuard } from '../../../src/broker/repeat-guard.js';

afterEach(() => {
  vi.useRealTimers();
});

const named = (name: string): Request =>
  new Request('https://any.test', { headers: { 'idempotency-key': name } });
const repeated = expect.objectContaining({ code: 'duplicate_request', statusCode: 409 });

test('a name is taken once in each session, for ten minutes', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const refuseRepeat = createRepeatGuard();
  refuseRepeat(named('a'), 's1');
  expect(() => refuseRepeat(named('a'), 's1')).toThrow(repeated);
  refuseRepeat(named('a'), 's2');
  refuseRepeat(named('b'), 's1');
  vi.setSystemTime(Date.now() + 599_000);
  expect(() => refuseRepeat(named('a'), 's1')).toThrow(repeated);
  vi.setSystemTime(Date.now() + 2_000);
  refuseRepeat(named('a'), 's1');
});

test('a session that uses up names makes no other one’s be forgotten', () => {
  const refuseRepeat = createRepeatGuard();
  refuseRepeat(named('mine'), 's1');
  for (let count = 0; count < 25_000; count++) refuseRepeat(named(`n${count}`), 's2');
  expect(() => refuseRepeat(named('mine'), 's1')).toThrow(repeated);
  // Its own oldest ones are.
  expect(() => refuseRepeat(named('n24999'), 's2')).toThrow(repeated);
  refuseRepeat(named('n0'), 's2');
});

test('of very many sessions those are forgotten that were silent for longest', () => {
  const refuseRepeat = createRepeatGuard();
  refuseRepeat(named('a'), 'silent');
  refuseRepeat(named('a'), 'busy');
  for (let count = 0; count < 9_999; count++) {
    refuseRepeat(named('a'), `s${count}`);
    if (count === 5_000) refuseRepeat(named('b'), 'busy');
  }
  refuseRepeat(named('a'), 'silent');
  expect(() => refuseRepeat(named('a'), 'busy')).toThrow(repeated);
});

test('what has no name may come as often as it likes', () => {
  const refuseRepeat = createRepeatGuard();
  const unnamed = new Request('https://any.test');
  refuseRepeat(unnamed, 's1');
  refuseRepeat(unnamed, 's1');
});
