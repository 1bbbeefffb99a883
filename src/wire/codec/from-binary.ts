import { SandboxError } from '../../errors.js';
import { BinaryReader } from './binary-reader.js';
import type { Field, MessageType } from './message-type.js';
import { type AnyMessage, emptyMessage, isMessage, setEntry, wireKind, wireType } from './table.js';

/**
 * Reads a message. Fields that are not known are skipped. What is of the kind `bytes` is a view of the bytes that are
 * given, not a copy.
 * @throws {SandboxError} code `protocol_error`: they are no such message.
 */
export function fromBinary<T>(type: MessageType<T>, bytes: Uint8Array): T {
  try {
    return readFields(new BinaryReader(bytes, decodeText), bytes.length, type, emptyMessage(type)) as T;
  } catch (cause) {
    throw new SandboxError(`${bytes.length} bytes came that are not a ${type.typeName}.`, {
      code: 'protocol_error',
      cause,
    });
  }
}

let decoder: TextDecoder | undefined;

/** A byte order mark is part of a name as any character is. */
function decodeText(bytes: Uint8Array): string {
  decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return decoder.decode(bytes);
}

function readFields(
  reader: BinaryReader,
  end: number,
  type: MessageType<unknown>,
  message: AnyMessage,
): AnyMessage {
  while (reader.pos < end) {
    const [number, found] = reader.tag();
    const field = type.fields[number];
    if (field && found === wireType(wireKind(field))) readField(reader, field, message);
    else reader.skip(found, number);
  }
  if (reader.pos !== end) throw new RangeError(`a field of ${type.typeName} goes beyond its end`);
  return message;
}

/** Of a field that comes again the last counts; messages are joined. */
function readField(reader: BinaryReader, field: Field, message: AnyMessage): void {
  const { name, label, oneof } = field;
  const kind = wireKind(field);
  if (oneof !== undefined) {
    const set = message[oneof] as { case?: string; value?: unknown };
    message[oneof] = {
      case: name,
      value: readValue(reader, kind, set.case === name ? set.value : undefined),
    };
  } else if (label === 'repeated') {
    (message[name] as unknown[]).push(readValue(reader, kind));
  } else if (label === 'map') {
    const { key, value } = readValue(reader, kind) as { key: string; value: unknown };
    setEntry(message[name] as object, key, value);
  } else {
    message[name] = readValue(reader, kind, message[name]);
  }
}

function readValue(reader: BinaryReader, kind: Field['kind'], known?: unknown): unknown {
  if (isMessage(kind)) {
    const length = reader.uint32();
    const end = reader.pos + length;
    if (end > reader.len) throw new RangeError(`a ${kind.typeName} goes beyond the end`);
    return readFields(reader, end, kind, (known as AnyMessage | undefined) ?? emptyMessage(kind));
  }
  if (typeof kind === 'object') return reader.int32();
  return reader[kind]();
}
