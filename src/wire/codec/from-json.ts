import { decodeBase64 } from './base64.js';
import { requireObject } from './field-values.js';
import type { EnumKind, Field, MessageType, ScalarKind } from './message-type.js';
import { type AnyMessage, emptyMessage, isMessage, setEntry } from './table.js';
import { parseTimestamp, timestampName } from './timestamp-json.js';

/**
 * Makes a message of protobuf's JSON, parsed. Fields that are not known are let be.
 * @throws what is no such message, and what readers might read differently: one field in two spellings.
 */
export function fromJson<T>(type: MessageType<T>, json: unknown): T {
  if (type.typeName === timestampName) return parseTimestamp(json) as T;
  const message = emptyMessage(type);
  const filled = new Set<string>();
  for (const [name, value] of Object.entries(requireObject(json))) {
    const field = Object.values(type.fields).find((it) => it.name === name || snakeCase(it.name) === name);
    if (!field || value === null) continue;
    const place = field.oneof ?? field.name;
    if (filled.has(place)) throw new TypeError(`${place} is there twice`);
    filled.add(place);
    readField(field, message, value);
  }
  return message as T;
}

function readField({ name, kind, label, oneof }: Field, message: AnyMessage, json: unknown): void {
  if (oneof !== undefined) {
    message[oneof] = { case: name, value: readValue(kind, json) };
  } else if (label === 'repeated') {
    if (!Array.isArray(json)) throw new TypeError(`${name} is not an array`);
    message[name] = json.map((entry) => readValue(kind, entry));
  } else if (label === 'map') {
    for (const [key, value] of Object.entries(requireObject(json)))
      setEntry(message[name] as object, key, readValue(kind, value));
  } else {
    message[name] = readValue(kind, json);
  }
}

function readValue(kind: Field['kind'], json: unknown): unknown {
  if (isMessage(kind)) return fromJson(kind, json);
  if (typeof kind === 'object') return readEnum(kind, json);
  if (kind === 'bool') return requireType('boolean', json);
  if (kind === 'string') return requireType('string', json);
  if (kind === 'bytes') return decodeBase64(requireType('string', json) as string);
  return readNumber(kind, json);
}

function readEnum({ prefix, values }: EnumKind, json: unknown): number {
  if (typeof json === 'number') return readNumber('int32', json);
  const name = Object.keys(values).find((it) => `${prefix}${it}` === json);
  if (name === undefined) throw new TypeError(`${prefix}… has no value ${json}`);
  return values[name] as number;
}

/** Also as text: it is how numbers of 64 bits come. */
function readNumber(kind: ScalarKind, json: unknown): number {
  const isText = typeof json === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(json);
  const value = isText ? Number(json) : (requireType('number', json) as number);
  const [min, max] = rangeOf(kind);
  if (!Number.isInteger(value) || value < min || value > max)
    throw new TypeError(`${json} is not of ${kind}`);
  return value;
}

function rangeOf(kind: ScalarKind): [min: number, max: number] {
  if (kind === 'uint32') return [0, 2 ** 32 - 1];
  return kind === 'int64' ? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] : [-(2 ** 31), 2 ** 31 - 1];
}

function requireType(type: 'boolean' | 'number' | 'string', json: unknown): unknown {
  if (typeof json === type) return json;
  throw new TypeError(`it is not a ${type}`);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
