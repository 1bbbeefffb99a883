/**
 * One Connect message, decoded and encoded again. Nothing of a page's bytes is forwarded as it came: unknown fields,
 * a second envelope, compression and anything that two parsers might read differently end here.
 */

import {
  type DescMessage,
  fromBinary,
  fromJsonString,
  type MessageShape,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
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
export function decodeMessage<Desc extends DescMessage>(
  schema: Desc,
  type: RpcContentType,
  body: Uint8Array,
): MessageShape<Desc> {
  const bytes = isStreamType(type) ? decodeEnvelope(body) : body;
  try {
    return type.endsWith('proto')
      ? fromBinary(schema, bytes, { readUnknownFields: false })
      : fromJsonString(schema, new TextDecoder('utf-8', { fatal: true }).decode(bytes), {
          ignoreUnknownFields: true,
        });
  } catch {
    throw invalidRequest(`The body is not a ${schema.typeName} as ${type}.`);
  }
}

export function encodeMessage<Desc extends DescMessage>(
  schema: Desc,
  type: RpcContentType,
  message: MessageShape<Desc>,
): Uint8Array<ArrayBuffer> {
  const bytes = type.endsWith('proto')
    ? (toBinary(schema, message, { writeUnknownFields: false }) as Uint8Array<ArrayBuffer>)
    : new TextEncoder().encode(toJsonString(schema, message));
  return isStreamType(type) ? encodeEnvelope(0, bytes) : bytes;
}

/** Marks the envelope that ends a stream. */
export const endStreamFlag = 0x02;

/** The flags, and the length of what follows. */
export const envelopeHeadBytes = 5;

export function encodeEnvelope(flags: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const envelope = new Uint8Array(envelopeHeadBytes + payload.length);
  new DataView(envelope.buffer).setUint32(1, payload.length);
  envelope[0] = flags;
  envelope.set(payload, envelopeHeadBytes);
  return envelope;
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
