import { InvalidArgumentError } from '../../errors.js';
import { BinaryWriter } from './binary-writer.js';
import { fieldValues, isBytes, requireObject } from './field-values.js';
import type { Field, MessageInit, MessageType, ScalarKind } from './message-type.js';
import { type AnyMessage, isMessage, wireKind, wireType } from './table.js';

/**
 * Writes a message.
 * @throws {InvalidArgumentError} a value is not what its field can hold; the error names the field.
 */
export function toBinary<T>(type: MessageType<T>, message: MessageInit<T>): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeFields(writer, type, message as AnyMessage);
  return writer.finish();
}

function writeFields(writer: BinaryWriter, type: MessageType<unknown>, message: AnyMessage): void {
  for (const [number, field] of Object.entries(type.fields)) {
    const kind = wireKind(field);
    try {
      for (const value of fieldValues(field, message)) {
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

function writeValue(writer: BinaryWriter, kind: Field['kind'], value: unknown): void {
  if (isMessage(kind)) {
    writer.nested(() => writeFields(writer, kind, requireObject(value)));
  } else {
    const scalar = typeof kind === 'object' ? 'int32' : kind;
    if (!holds(scalar, value)) throw new TypeError(`it is not of the type ${scalar}`);
    writer[scalar](value as never);
  }
}

/** The writer turns what is of another type into something. */
function holds(kind: ScalarKind, value: unknown): boolean {
  if (kind === 'bytes') return isBytes(value);
  return typeof value === (kind === 'string' ? 'string' : kind === 'bool' ? 'boolean' : 'number');
}
