import type { Field } from './message-type.js';
import { type AnyMessage, isMessage } from './table.js';

/**
 * What there is to write of a field: zero goes without saying, unless absent would be another thing.
 * @throws {TypeError} the field can never hold what it does.
 */
export function fieldValues({ name, kind, label, oneof }: Field, message: AnyMessage): readonly unknown[] {
  if (oneof !== undefined) {
    const set = message[oneof] as { case?: string; value?: unknown } | undefined;
    return set?.case === name ? [set.value] : [];
  }
  const value = message[name];
  if (value === undefined) return [];
  if (label === 'repeated') {
    if (!Array.isArray(value)) throw new TypeError('it is not an array');
    return value;
  }
  if (label === 'map')
    return Object.entries(requireObject(value)).map(([key, entry]) => ({ key, value: entry }));
  return label !== 'optional' && !isMessage(kind) && isZero(value) ? [] : [value];
}

/** Also those of another realm, and Node's `Buffer`. */
export function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]';
}

export function requireObject(value: unknown): AnyMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('it is not an object');
  return value as AnyMessage;
}

function isZero(value: unknown): boolean {
  return value === 0 || value === '' || value === false || (isBytes(value) && value.length === 0);
}
