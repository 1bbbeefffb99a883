import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutputDecoder } from '../../../src/sandbox/output-decoder.js';

/** Bytes that are mostly of UTF-8, and often not. */
const anyBytes = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }).map((text) => new TextEncoder().encode(text)),
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom([0xef, 0xbb, 0xbf], [0xe0, 0x80], [0xf4, 0x90], [0xed, 0xa0], [0xc0]),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

function cutAt(data: Uint8Array, cuts: number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (data.length + 1)).sort((a, b) => a - b), data.length];
  return at.slice(1).map((end, index) => data.subarray(at[index], end));
}

test('pieces give the text of the whole, however it is cut, and in whatever order they are asked', () => {
  fc.assert(
    fc.property(anyBytes, fc.array(fc.nat(), { maxLength: 8 }), (data, cuts) => {
      const decoder = new OutputDecoder();
      const texts = cutAt(data, cuts).map((piece) => decoder.piece(piece));
      const last = decoder.end();
      const backwards = texts.reverse().map((text) => text());
      expect(backwards.reverse().join('') + last).toBe(new TextDecoder().decode(data));
    }),
    { numRuns: 3_000 },
  );
});

test('behind a gap nothing begins in the middle of a character', () => {
  const data = new TextEncoder().encode('é終🦀x');
  for (let from = 0; from <= data.length; from++) {
    for (let size = 1; size <= 3; size++) {
      const decoder = new OutputDecoder();
      let text = decoder.decode(new TextEncoder().encode('before ')) + decoder.gap();
      for (let at = from; at < data.length; at += size) {
        text += decoder.decode(data.subarray(at, Math.min(at + size, data.length)));
      }
      expect(text + decoder.end()).toMatch(/^before (é終🦀x|終🦀x|🦀x|x|)$/u);
    }
  }
});

test('what is left of a character before a gap shows', () => {
  const decoder = new OutputDecoder();
  const [first = 0] = new TextEncoder().encode('終');
  expect(
    decoder.decode(Uint8Array.of(0x61, first)) + decoder.gap() + decoder.decode(Uint8Array.of(0x62)),
  ).toBe('a\ufffdb');
});
