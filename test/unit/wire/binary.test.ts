/** Our reader and writer of protobuf's binary format, held against those of `@bufbuild/protobuf`. */

import {
  base64Decode,
  base64Encode,
  BinaryReader as OtherReader,
  BinaryWriter as OtherWriter,
} from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../../src/wire/codec/base64.js';
import { BinaryReader } from '../../../src/wire/codec/binary-reader.js';
import { BinaryWriter } from '../../../src/wire/codec/binary-writer.js';

const kinds = {
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  int32: fc.integer(),
  sint32: fc.integer(),
  int64: fc.maxSafeInteger(),
  bool: fc.boolean(),
  bytes: fc.uint8Array({ maxLength: 700 }),
  string: fc.string({ unit: 'binary', maxLength: 300 }),
};
type Kind = keyof typeof kinds;
const value = fc.oneof(
  ...(Object.keys(kinds) as Kind[]).map((kind) =>
    (kinds[kind] as fc.Arbitrary<unknown>).map((one) => ({ kind, value: one })),
  ),
);
const text = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const decode = (bytes: Uint8Array) => text.decode(bytes);
const runs = { numRuns: Number(process.env.FUZZ_CASES ?? 2_000) };

test('values are written as others write them, and read as others read them', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 30 }), (values) => {
      const [ours, theirs] = [new BinaryWriter(), new OtherWriter()];
      for (const { kind, value: one } of values) {
        ours[kind](one as never);
        theirs[kind](one as never);
      }
      const written = ours.finish();
      expect(written).toEqual(theirs.finish());
      const reader = new BinaryReader(written, decode);
      for (const { kind, value: one } of values) expect(reader[kind]()).toEqual(one);
      expect(reader.pos).toBe(written.length);
    }),
    runs,
  );
});

test('any bytes are read as others read them, or refused where others refuse them', () => {
  const number = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 12 });
  // Long varints, and tags of all wire types with what may follow them.
  const pieces = fc.array(fc.oneof(number, fc.constantFrom([0x0b, 0x08, 0x01, 0x0c], [0x0a, 0x02, 1, 2])));
  fc.assert(
    fc.property(
      pieces,
      fc.array(fc.constantFrom(...(Object.keys(kinds) as Kind[]), 'skip')),
      (all, steps) => {
        const bytes = Uint8Array.from(all.flat());
        // Others pass over a number of any length.
        fc.pre(!/[\u0080-\u00ff]{10}/.test(String.fromCharCode(...bytes)));
        expect(readAll(new BinaryReader(bytes, decode), steps)).toEqual(
          readAll(new OtherReader(bytes, decode), steps),
        );
      },
    ),
    runs,
  );
});

interface Reader extends Record<Kind, () => unknown> {
  readonly pos: number;
  tag(): [number, number];
  skip(wireType: number, number: number): unknown;
}

/** What comes of some calls, up to the first that throws. */
function readAll(reader: BinaryReader | OtherReader, steps: readonly (Kind | 'skip')[]): unknown[] {
  const results: unknown[] = [];
  const any = reader as unknown as Reader;
  try {
    for (const step of steps) {
      if (step === 'skip') {
        const [number, wireType] = any.tag();
        any.skip(wireType, number);
        results.push([number, wireType, reader.pos]);
      } else {
        const one = any[step]();
        results.push(typeof one === 'bigint' ? Number(one) : one, reader.pos);
      }
    }
  } catch {
    results.push('refused');
  }
  return results;
}

test('a number is refused that its field cannot hold', () => {
  const writer = new BinaryWriter();
  expect(() => writer.uint32(-1)).toThrow(RangeError);
  expect(() => writer.uint32(2 ** 32)).toThrow(RangeError);
  expect(() => writer.int32(1.5)).toThrow('1.5 is not an integer from -2147483648 to 2147483647');
  expect(() => writer.sint32(2 ** 31)).toThrow(RangeError);
  expect(() => writer.int64(2 ** 53)).toThrow(RangeError);
  expect(() => writer.int64(Number.NaN)).toThrow(RangeError);
  expect(writer.finish()).toHaveLength(0);
});

test('groups that are nested as deep as a message is long are passed over', () => {
  const bytes = new Uint8Array(2_000_000).fill(0x0b, 0, 1_000_000).fill(0x0c, 1_000_000);
  const reader = new BinaryReader(bytes, decode);
  reader.skip(reader.tag()[1], 1);
  expect(reader.pos).toBe(bytes.length);
});

test('base64 is that of others, of any length', () => {
  const bytes = fc.oneof(fc.uint8Array(), fc.uint8Array({ minLength: 8_000, maxLength: 20_000 }));
  fc.assert(
    fc.property(bytes, (one) => {
      const encoded = encodeBase64(one);
      expect(encoded).toBe(base64Encode(one));
      expect(decodeBase64(encoded)).toEqual(one);
      const ofUrls = encoded.replaceAll('+', '-').replaceAll('/', '_');
      expect(decodeBase64(ofUrls)).toEqual(base64Decode(ofUrls));
    }),
    { numRuns: 30 },
  );
  expect(() => decodeBase64('&')).toThrow(SyntaxError);
});
