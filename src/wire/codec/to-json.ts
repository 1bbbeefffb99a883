import type { Timestamp } from '../messages/timestamp.js';
import { encodeBase64 } from './base64.js';
import { fieldValues } from './field-values.js';
import type { Field, MessageType } from './message-type.js';
import { type AnyMessage, isMessage } from './table.js';
import { formatTimestamp, timestampName } from './timestamp-json.js';

/** Makes protobuf's JSON of a message, for `JSON.stringify`. */
export function toJson<T>(type: MessageType<T>, message: T): unknown {
  if (type.typeName === timestampName) return formatTimestamp(message as Timestamp);
  const json: AnyMessage = {};
  for (const field of Object.values(type.fields)) {
    const values = fieldValues(field, message as AnyMessage);
    if (values.length > 0) json[field.name] = writeField(field, values);
  }
  return json;
}

function writeField({ kind, label }: Field, values: readonly unknown[]): unknown {
  if (label === 'repeated') return values.map((value) => writeValue(kind, value));
  if (label !== 'map') return writeValue(kind, values[0]);
  const entries = values as readonly { key: string; value: unknown }[];
  return Object.fromEntries(entries.map(({ key, value }) => [key, writeValue(kind, value)]));
}

function writeValue(kind: Field['kind'], value: unknown): unknown {
  if (isMessage(kind)) return toJson(kind, value);
  if (kind === 'bytes') return encodeBase64(value as Uint8Array);
  // Numbers of 64 bits are more than those of JavaScript can be.
  if (kind === 'int64') return String(value);
  if (typeof kind !== 'object') return value;
  const name = Object.keys(kind.values).find((it) => kind.values[it] === value);
  return name === undefined ? value : `${kind.prefix}${name}`;
}
