/**
 * One Connect message, decoded and encoded again. Nothing of a page's bytes is forwarded as it came: unknown fields,
 * a second envelope, compression and anything that two parsers might read differently end here.
 */

import { fromBinary } from '../wire/codec/from-binary.js';
import { fromJson } from '../wire/codec/from-json.js';
import type { MessageInit, MessageType } from '../wire/codec/message-type.js';
import { toBinary } from '../wire/codec/to-binary.js';
import { toJson } from '../wire/codec/to-json.js';
import { encodeEnvelope, envelopeHeadBytes } from '../wire/envelope.js';
import { invalidRequest } from './refusals.js';

export type UnaryContentType = 'application/proto' | 'application/json';
export type StreamContentType = 'application/connect+proto' | 'application/connect+json';
export type RpcContentType = UnaryContentType | StreamContentType;

const unaryTypes: readonly string[] = ['application/proto', 'application/json'];
const streamTypes: readonly string[] = ['application/connect+proto', 'application/connect+json'];

/** The content type of a call, if it is one that its kind of method has. */
export function rpcContentType(header: string | null, streaming: boolean): RpcContentType | undefined {
  const [type = '', ...parameters] = (header ?? '').split(';').map((part) => part.trim().toLowerCase());
  if (parameters.some((parameter) => parameter !== 'charset=utf-8')) return undefined;
  return (streaming ? streamTypes : unaryTypes).includes(type) ? (type as RpcContentType) : undefined;
}

export function isStreamType(type: RpcContentType): type is StreamContentType {
  return streamTypes.includes(type);
}

/** Reads the one message of a request. */
export function decodeMessage<T>(message: MessageType<T>, type: RpcContentType, body: Uint8Array): T {
  const bytes = isStreamType(type) ? decodeEnvelope(body) : body;
  try {
    return type.endsWith('proto')
      ? fromBinary(message, bytes)
      : fromJson(message, JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    throw invalidRequest(`The body is not a ${message.typeName} as ${type}.`);
  }
}

export function encodeMessage<T>(
  message: MessageType<T>,
  type: RpcContentType,
  value: T,
): Uint8Array<ArrayBuffer> {
  const bytes = type.endsWith('proto')
    ? toBinary(message, value as MessageInit<T>)
    : new TextEncoder().encode(JSON.stringify(toJson(message, value)));
  return isStreamType(type) ? encodeEnvelope(0, bytes) : bytes;
}

function decodeEnvelope(body: Uint8Array): Uint8Array {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < envelopeHeadBytes || view.getUint32(1) !== body.length - envelopeHeadBytes) {
    throw invalidRequest('The body is not exactly one Connect envelope.');
  }
  if (body[0] !== 0)
    throw invalidRequest('The Connect envelope is compressed or ends the stream; send it plain.');
  return body.subarray(envelopeHeadBytes);
}
