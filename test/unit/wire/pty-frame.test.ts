import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isE2BEdgeError } from '../../../src/errors.js';
import {
  decodeFrame,
  encodeFrame,
  FrameType,
  maxFrameBytes,
  maxPayloadBytes,
} from '../../../src/wire/pty-frame.js';
import {
  encodeJson,
  parseExit,
  parseGap,
  parseHello,
  parseLostInput,
  parseMode,
  parseRefresh,
  parseRefusal,
  parseResize,
  parseSizeInForce,
  parseWelcome,
} from '../../../src/wire/pty-messages.js';

const settings = { seed: 20_261_123, numRuns: 500 };
const types = Object.values(FrameType);
const parsers = [
  parseHello,
  parseWelcome,
  parseResize,
  parseSizeInForce,
  parseMode,
  parseRefresh,
  parseGap,
  parseExit,
  parseRefusal,
  parseLostInput,
];

const hello = {
  token: 't',
  clientId: 'c',
  create: { createKey: 'k', user: 'user', cwd: '/tmp', envs: { A: 'b' }, timeoutMs: 5 },
  have: 0,
  acked: 0,
  window: 1,
  mode: 'write',
  cols: 80,
  rows: 24,
};

function refused(action: () => unknown): void {
  let error: unknown;
  try {
    action();
  } catch (caught) {
    error = caught;
  }
  expect(isE2BEdgeError(error, 'protocol_error'), String(error)).toBe(true);
}

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('a frame', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.maxSafeNat(),
        fc.uint8Array({ maxLength: 3_000 }),
        (type, offset, payload) => {
          expect(decodeFrame(encodeFrame(type, offset, payload))).toEqual({ type, offset, payload });
        },
      ),
      settings,
    );
  });

  it('is read where it lies in a larger buffer', () => {
    const frame = encodeFrame(FrameType.out, 7, new Uint8Array([1, 2, 3]));
    const buffer = new Uint8Array(frame.length + 10);
    buffer.set(frame, 5);
    const decoded = decodeFrame(buffer.subarray(5, 5 + frame.length));
    expect(decoded).toEqual({ type: FrameType.out, offset: 7, payload: new Uint8Array([1, 2, 3]) });
  });

  it('is refused, and nothing worse, when it is garbage', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string()), (message) => {
        try {
          const { type, offset } = decodeFrame(message);
          expect(types).toContain(type);
          expect(Number.isSafeInteger(offset)).toBe(true);
        } catch (error) {
          expect(isE2BEdgeError(error, 'protocol_error'), String(error)).toBe(true);
        }
      }),
      settings,
    );
  });

  it('has a length, a type and an offset within bounds', () => {
    expect(encodeFrame(FrameType.out, 0, new Uint8Array(maxPayloadBytes))).toHaveLength(maxFrameBytes);
    refused(() => encodeFrame(FrameType.out, 0, new Uint8Array(maxPayloadBytes + 1)));
    refused(() => decodeFrame(new Uint8Array(maxFrameBytes + 1).fill(1)));
    refused(() => encodeFrame(FrameType.out, 2 ** 53));
    refused(() => encodeFrame(FrameType.out, -1));
    refused(() => encodeFrame(FrameType.out, 0.5));
    refused(() => decodeFrame(new Uint8Array([3, 0, 0x20, 0, 0, 0, 0, 0, 0])));
    refused(() => decodeFrame(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0])));
    refused(() => decodeFrame(new Uint8Array([17, 0, 0, 0, 0, 0, 0, 0, 0])));
    refused(() => decodeFrame(new Uint8Array(8).fill(1)));
    const last = encodeFrame(FrameType.ack, Number.MAX_SAFE_INTEGER);
    expect(decodeFrame(last).offset).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('a control payload', () => {
  it('is refused, and nothing worse, when it is garbage', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.jsonValue().map(bytesOf)), (payload) => {
        for (const parse of parsers) refused(() => parse(payload));
      }),
      settings,
    );
  });

  it('is checked field by field', () => {
    const parsed = parseHello(bytesOf(hello));
    expect(parsed).toEqual(hello);
    const wrong = fc.oneof(
      fc.constantFrom(null, '', -1, 0.5, [], {}, true, 2 ** 60, 'x'.repeat(20_000)),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(hello)), wrong, (key, value) => {
        try {
          parseHello(bytesOf({ ...hello, [key]: value }));
        } catch (error) {
          expect(isE2BEdgeError(error, 'protocol_error'), String(error)).toBe(true);
        }
      }),
      settings,
    );
    for (const change of [
      { token: '' },
      { clientId: 5 },
      { have: -1 },
      { have: '0' },
      { window: 1.5 },
      { mode: 'admin' },
      { cols: 0 },
      { rows: 70_000 },
      { pty: 5 },
      { create: undefined },
      { create: { createKey: '' } },
      { create: { createKey: 'k', envs: { A: 1 } } },
    ]) {
      refused(() => parseHello(bytesOf({ ...hello, ...change })));
    }
  });

  it('does not show a token when it complains', () => {
    const payload = bytesOf({ ...hello, token: 'secret-token', clientId: '' });
    expect(() => parseHello(payload)).toThrow(/clientId/);
    expect(() => parseHello(payload)).not.toThrow(/secret-token/);
    const refresh = new TextEncoder().encode('{"token":"secret-token"');
    expect(() => parseRefresh(refresh)).not.toThrow(/secret-token/);
    expect(parseRefresh(bytesOf({ token: 'x'.repeat(16_384) }))).toHaveLength(16_384);
    refused(() => parseRefresh(bytesOf({ token: 'x'.repeat(16_385) })));
  });

  it('comes out as it went in', () => {
    const welcome = {
      pty: 5,
      epoch: 'e',
      from: 1,
      head: 2,
      inputHave: null,
      mode: 'read',
      reason: 'taken_over',
      size: { cols: 1, rows: 2 },
      durable: false,
    };
    const { payload } = decodeFrame(encodeJson(FrameType.welcome, 0, welcome));
    expect(parseWelcome(payload)).toEqual(welcome);
    for (const mode of [{ mode: 'write' }, { mode: 'read', reason: 'read_only' }]) {
      expect(parseMode(bytesOf({ ...mode, other: 1 }))).toEqual(mode);
    }
    for (const change of [{ mode: 'admin' }, { reason: 1 }, { reason: 'x'.repeat(129) }]) {
      refused(() => parseMode(bytesOf({ mode: 'read', ...change })));
      refused(() => parseWelcome(bytesOf({ ...welcome, ...change })));
    }
    const exit = { exitCode: -1, status: 'signal: killed', error: 'signal: killed', at: 5 };
    expect(parseExit(bytesOf(exit))).toEqual(exit);
    const refusal = { code: 'replaced', message: 'm', retryable: false, retryAfterMs: 3 };
    expect(parseRefusal(bytesOf(refusal))).toEqual(refusal);
    expect(parseGap(bytesOf({ from: 1, to: null, reason: 'r' }))).toEqual({ from: 1, to: null, reason: 'r' });
  });
});
