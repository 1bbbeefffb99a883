/** A request as it arrived upstream. */

import { type DescMethod, fromBinary, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { Filesystem } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';

export interface Arrived {
  readonly method: string;
  readonly url: URL;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Whether a redirect would have been followed. */
  readonly redirect: string;
}

/** envd's procedures by path, as `process.Process/Start`. */
export const procedures: ReadonlyMap<string, DescMethod> = new Map(
  [...Process.methods, ...Filesystem.methods].map((method) => [
    `${method.parent.typeName}/${method.name}`,
    method,
  ]),
);

/** The procedure that is called, if it is one. */
export function procedureOf({ url }: Arrived): DescMethod | undefined {
  return procedures.get(url.pathname.slice(1));
}

/**
 * The message of a call.
 * @throws where it is anything but one message, plain, of the content type's codec, with known fields alone.
 */
export function messageOf(arrived: Arrived, method: DescMethod): unknown {
  const type = arrived.headers.get('content-type') ?? '';
  const [, connect, codec] = /^application\/(connect\+)?(proto|json)$/.exec(type) ?? [];
  const streaming = method.methodKind !== 'unary';
  if (codec === undefined || (connect !== undefined) !== streaming) throw new Error(`content type "${type}"`);
  const bytes = streaming ? onlyMessage(arrived.body) : arrived.body;
  if (codec === 'proto') {
    const message = fromBinary(method.input, bytes);
    refuseUnknown(message);
    return message;
  }
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const json = JSON.parse(text) as JsonValue;
  // The same key twice, or anything that another parser may see otherwise.
  if (JSON.stringify(json) !== text) throw new Error(`ambiguous JSON: ${text}`);
  return fromJson(method.input, json);
}

function onlyMessage(body: Uint8Array): Uint8Array {
  const length = new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(1);
  if (body[0] !== 0 || body.length !== 5 + length) throw new Error('not exactly one plain envelope');
  return body.subarray(5);
}

function refuseUnknown(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if ('$unknown' in value && value.$unknown !== undefined) throw new Error('unknown fields');
  for (const part of Object.values(value)) refuseUnknown(part);
}
