import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EnvelopeEdge } from '../../../src/broker/envelope-edge.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';

test('it knows where envelopes meet, however they are cut into pieces', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
      (payloads, sizes) => {
        const envelopes = payloads.map((payload) => encodeEnvelope(0, payload));
        const bytes = envelopes.flatMap((envelope) => [...envelope]);
        const ends = new Set([0]);
        for (const { length } of envelopes) ends.add(Math.max(...ends) + length);
        const edge = new EnvelopeEdge();
        let at = 0;
        for (let turn = 0; at < bytes.length; turn++) {
          const piece = bytes.slice(at, at + (sizes[turn % sizes.length] as number));
          edge.push(Uint8Array.from(piece));
          at += piece.length;
          expect(edge.isBetween).toBe(ends.has(at));
        }
        expect(edge.isBetween).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
