import { expect, it } from 'vitest';
import type { ChannelEvent } from '../../src/channel/channel.js';
import { findNumbers } from './storm/numbered-lines.js';

const gap: ChannelEvent = { type: 'gap', from: 0, to: null, reason: 'a test' };
const output = (text: string): ChannelEvent => ({
  type: 'output',
  offset: 0,
  data: new TextEncoder().encode(text),
});
const lines = (...numbers: number[]) =>
  output(`${numbers.map((number) => String(number).padStart(8, '0')).join('\n')}\n`);

it('finds what is missing or doubled, and nothing in what is whole', () => {
  expect(findNumbers([lines(1, 2), lines(3)])).toEqual({ doubled: [], missing: [], gaps: 0, last: 3 });
  expect(findNumbers([lines(1), lines(3)])).toMatchObject({ missing: [1] });
  expect(findNumbers([lines(1, 2), lines(2, 3)])).toMatchObject({ doubled: [2] });
  expect(findNumbers([lines(1, 2), gap, lines(1, 2, 3)])).toMatchObject({ doubled: [2] });
  expect(findNumbers([lines(1), gap, output('07\n'), lines(8, 9)])).toMatchObject({
    doubled: [],
    missing: [],
    gaps: 1,
    last: 9,
  });
  expect(findNumbers([lines(1), gap, output('\n'), lines(8, 10)])).toMatchObject({ missing: [8] });
});
