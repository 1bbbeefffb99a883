import { interruptSignal } from '../../../src/wire/interrupt-key.js';

/** Random numbers that come again with the same seed (mulberry32). */
export function seeded(seed: number): {
  below: (limit: number) => number;
  bytes: (length: number) => Uint8Array;
} {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, bytes: (length) => Uint8Array.from({ length }, () => below(256)) };
}

/** The length of a piece of input that begins at `at`: an interrupt key alone would drop what waits before it. */
export function withoutInterrupt(input: Uint8Array, at: number, wanted: number): number {
  const isKey = (from: number, to?: number) => interruptSignal(input.subarray(from, to)) !== undefined;
  let length = Math.min(wanted, input.length - at);
  while (isKey(at, at + length) || isKey(at + length)) length++;
  return length;
}
