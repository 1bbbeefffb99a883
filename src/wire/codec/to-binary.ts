import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { InvalidArgumentError } from '../../errors.js';
import type { Field, MessageInit, MessageType, ScalarKind } from './message-type.js';
import { type AnyMessage, isMessage, wireKind, wireType } from './table.js';

/**
 * Writes a message.
 * @throws {InvalidArgumentError} a value is not what its field can hold; the error names the field.
 */
export function toBinary<T>(type: MessageType<T>, message: MessageInit<T>): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeFields(writer, type, message as AnyMessage);
  return writer.finish() as Uint8Array<ArrayBuffer>;
}

function writeFields(writer: BinaryWriter, type: MessageType<unknown>, message: AnyMessage): void {
  for (const [number, field] of Object.entries(type.fields)) {
    const kind = wireKind(field);
    try {
      for (const value of valuesOf(field, message)) {
        writer.tag(Number(number), wireType(kind));
        writeValue(writer, kind, value);
      }
    } catch (cause) {
      if (cause instanceof InvalidArgumentError) throw cause;
      throw new InvalidArgumentError(`The ${field.name} of a ${type.typeName} cannot be sent: ${cause}`, {
        cause,
      });
    }
  }
}

/** What there is to write of a field: zero goes without saying, unless absent would be another thing. */
function valuesOf({ name, kind, label, oneof }: Field, message: AnyMessage): readonly unknown[] {
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

function isZero(value: unknown): boolean {
  return value === 0 || value === '' || value === false || (isBytes(value) && value.length === 0);
}

function writeValue(writer: BinaryWriter, kind: Field['kind'], value: unknown): void {
  if (isMessage(kind)) {
    writer.fork();
    writeFields(writer, kind, requireObject(value));
    writer.join();
  } else {
    const scalar = typeof kind === 'object' ? 'int32' : kind;
    if (!holds(scalar, value)) throw new TypeError(`it is not of the type ${scalar}`);
    writer[scalar](value as never);
  }
}

function requireObject(value: unknown): AnyMessage {
  if (typeof value !== 'object' || value === null) throw new TypeError('it is not an object');
  return value as AnyMessage;
}

/** The writer turns what is of another type into something. */
function holds(kind: ScalarKind, value: unknown): boolean {
  if (kind === 'bytes') return isBytes(value);
  return typeof value === (kind === 'string' ? 'string' : kind === 'bool' ? 'boolean' : 'number');
}

/** Also those of another realm, and Node's `Buffer`. */
function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]';
}
