import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EnvelopeSplitter, encodeEnvelope } from '../../../src/wire/envelope.js';

/** What comes out of a body that arrives in these pieces. */
function split(pieces: Iterable<Uint8Array>): { flags: number; payload: number[] }[] {
  const splitter = new EnvelopeSplitter();
  const envelopes = [];
  for (const piece of pieces) {
    for (const { flags, payload } of splitter.push(piece)) envelopes.push({ flags, payload: [...payload] });
  }
  return envelopes;
}

const sent = [
  { flags: 0, payload: [1, 2, 3] },
  { flags: 0, payload: [] },
  { flags: 1, payload: [0, 0, 0, 0, 9] },
  { flags: 2, payload: [123, 125] },
];
const body = Uint8Array.from(
  sent.flatMap(({ flags, payload }) => [...encodeEnvelope(flags, Uint8Array.from(payload))]),
);

describe('a body', () => {
  test('gives its envelopes wherever it is cut in two', () => {
    for (let at = 0; at <= body.length; at++) {
      expect(split([body.subarray(0, at), body.subarray(at)])).toEqual(sent);
    }
  });

  test('gives its envelopes byte for byte', () => {
    expect(split([...body].map((byte) => Uint8Array.of(byte)))).toEqual(sent);
  });

  test('gives each envelope as soon as its last byte is here', () => {
    const splitter = new EnvelopeSplitter();
    const ends = [8, 13, 23, 30];
    for (let at = 0; at < body.length; at++) {
      const came = [...splitter.push(body.subarray(at, at + 1))].length;
      expect(came).toBe(ends.includes(at + 1) ? 1 : 0);
    }
  });

  test('gives its envelopes in any pieces', () => {
    const envelopes = fc.array(
      fc.record({
        flags: fc.nat(255),
        payload: fc.array(fc.nat(255), { maxLength: 300, size: 'max' }),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(envelopes, fc.array(fc.nat(700), { maxLength: 20 }), (envelopes, lengths) => {
        const bytes = Uint8Array.from(
          envelopes.flatMap(({ flags, payload }) => [...encodeEnvelope(flags, Uint8Array.from(payload))]),
        );
        const pieces: Uint8Array[] = [];
        let at = 0;
        for (const length of [...lengths, bytes.length]) {
          pieces.push(bytes.subarray(at, at + length));
          at += length;
        }
        expect(split(pieces)).toEqual(envelopes);
      }),
    );
  });

  test('is not copied where an envelope comes whole', () => {
    const piece = encodeEnvelope(0, new Uint8Array(100));
    const [envelope] = new EnvelopeSplitter().push(piece);
    expect(envelope?.payload.buffer).toBe(piece.buffer);
  });

  test('of which a length is out of reason is refused, before any of it is waited for', () => {
    const head = Uint8Array.of(0, 0x01, 0, 0, 1);
    expect(() => split([head])).toThrow(expect.objectContaining({ code: 'protocol_error' }));
    expect(split([Uint8Array.of(0, 0x01, 0, 0, 0)])).toEqual([]);
  });

  test('of any bytes gives envelopes or one error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (pieces) => {
        try {
          const total = pieces.reduce((sum, { length }) => sum + length, 0);
          expect(split(pieces).reduce((sum, { payload }) => sum + payload.length + 5, 0)).toBeLessThanOrEqual(
            total,
          );
        } catch (error) {
          expect(error).toMatchObject({ code: 'protocol_error' });
        }
      }),
    );
  });
});
