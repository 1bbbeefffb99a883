import { describe, expect, test } from 'vitest';
import {
  decodeMessage,
  encodeMessage,
  isStreamType,
  type RpcContentType,
  rpcContentType,
} from '../../../src/broker/rpc-message.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { StatRequest } from '../../../src/wire/messages/filesystem.js';

const types = {
  unary: ['application/proto', 'application/json'],
  stream: ['application/connect+proto', 'application/connect+json'],
} as const;

describe('a content type', () => {
  test.each([
    ...types.unary.map((type) => [type, false] as const),
    ...types.stream.map((type) => [type, true] as const),
  ])('%s is that of its kind of method alone', (type, streaming) => {
    expect(rpcContentType(type, streaming)).toBe(type);
    expect(rpcContentType(type, !streaming)).toBeUndefined();
    expect(isStreamType(type)).toBe(streaming);
  });

  test('may say that it is UTF-8, in any case and with any spaces', () => {
    expect(rpcContentType('application/json; charset=utf-8', false)).toBe('application/json');
    expect(rpcContentType(' Application/JSON ;CHARSET=UTF-8 ', false)).toBe('application/json');
  });

  test.each([
    'application/json; charset=latin1',
    'application/json; charset=utf-8; encoding=x',
    'application/json;',
    'application/jsonx',
    ';application/json',
    '',
    null,
  ])('%j is none', (header) => {
    expect(rpcContentType(header, false)).toBeUndefined();
  });
});

describe('a message', () => {
  const all: RpcContentType[] = [...types.unary, ...types.stream];

  test.each(all)('is what it was when it is encoded and decoded as %s', (type) => {
    for (const path of ['/a/é', '']) {
      const bytes = encodeMessage(StatRequest, type, { path });
      expect(decodeMessage(StatRequest, type, bytes)).toEqual({ path });
    }
  });

  test.each(types.stream)('may be empty as %s', (type) => {
    const payload = new TextEncoder().encode(type.endsWith('json') ? '{}' : '');
    expect(decodeMessage(StatRequest, type, encodeEnvelope(0, payload))).toEqual({ path: '' });
  });

  test('is read from its place in what came', () => {
    const envelope = encodeMessage(StatRequest, 'application/connect+proto', { path: '/x' });
    const piece = new Uint8Array([9, 9, 9, ...envelope, 9]).subarray(3, 3 + envelope.length);
    expect(decodeMessage(StatRequest, 'application/connect+proto', piece)).toEqual({ path: '/x' });
  });

  test.each<[string, RpcContentType, Uint8Array]>([
    [
      'text that is no UTF-8',
      'application/json',
      new Uint8Array([...Buffer.from('{"path":"'), 0xff, 0x22, 0x7d]),
    ],
    ['the other codec', 'application/json', new Uint8Array([0x0a, 1, 0x78])],
    ['JSON as binary', 'application/proto', new TextEncoder().encode('{"path":"/x"}')],
    [
      'an envelope where there is none',
      'application/json',
      encodeEnvelope(0, new TextEncoder().encode('{}')),
    ],
    ['the head of an envelope, and no more of it', 'application/connect+proto', new Uint8Array([0, 0, 0, 0])],
    ['an envelope that is shorter than said', 'application/connect+proto', new Uint8Array([0, 0, 0, 0, 1])],
    ['a compressed envelope', 'application/connect+proto', new Uint8Array([1, 0, 0, 0, 0])],
    ['an end of stream', 'application/connect+json', encodeEnvelope(2, new TextEncoder().encode('{}'))],
  ])('is not %s', (_what, type, bytes) => {
    expect(() => decodeMessage(StatRequest, type, bytes)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', statusCode: 400 }),
    );
  });
});
