import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { outputEnvelope } from '../../../src/local/envd/process/output-envelope.js';
import { ConnectResponseSchema, StartResponseSchema } from '../../../src/wire/gen/process/process_pb.js';

/** Around every length at which one of the nested lengths needs a byte more. */
const lengths = [
  0, 1, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 16_370, 16_383, 16_384, 32_768,
];

describe('output, encoded by hand', () => {
  test.each(['stdout', 'stderr', 'pty'] as const)('is what the decoder reads as %s', (kind) => {
    for (const length of lengths) {
      const chunk = Uint8Array.from({ length }, (_, at) => at * 7);
      const envelope = Buffer.from(outputEnvelope(kind, chunk));
      expect(envelope.readUInt8(0)).toBe(0);
      expect(envelope.readUInt32BE(1)).toBe(envelope.length - 5);
      for (const schema of [StartResponseSchema, ConnectResponseSchema]) {
        const { event } = fromBinary(schema, envelope.subarray(5)).event!;
        if (event.case !== 'data') throw new Error(`${event.case} in the place of data`);
        expect(event.value.output.case).toBe(kind);
        expect(Buffer.from(event.value.output.value!).equals(Buffer.from(chunk))).toBe(true);
      }
    }
  });
});
