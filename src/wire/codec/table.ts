/** What reading and writing by a table have in common. */

import type { EnumKind, Field, MessageType, ScalarKind } from './message-type.js';

/** A message of any type. */
export type AnyMessage = Record<string, unknown>;

/** A map is on the wire a list of these. */
const mapEntry: MessageType<unknown> = {
  typeName: 'an entry of a map',
  fields: { 1: { name: 'key', kind: 'string' }, 2: { name: 'value', kind: 'string' } },
};

/** protobuf's wire types, those that are needed. */
const varint = 0;
const lengthDelimited = 2;

/** A message of which nothing was sent: what is not optional is zero. */
export function emptyMessage(type: MessageType<unknown>): AnyMessage {
  const message: AnyMessage = {};
  for (const { name, kind, label, oneof } of Object.values(type.fields)) {
    if (oneof !== undefined) message[oneof] = { case: undefined };
    else if (label === 'repeated') message[name] = [];
    else if (label === 'map') message[name] = {};
    else if (label !== 'optional' && !isMessage(kind)) message[name] = zeroOf(kind);
  }
  return message;
}

/** The kind of a field's values on the wire. */
export function wireKind({ kind, label }: Field): Field['kind'] {
  return label === 'map' ? mapEntry : kind;
}

export function isMessage(kind: Field['kind']): kind is MessageType<unknown> {
  return typeof kind === 'object' && 'fields' in kind;
}

export function wireType(kind: Field['kind']): number {
  return kind === 'string' || kind === 'bytes' || isMessage(kind) ? lengthDelimited : varint;
}

/** Adds to a map, whose keys are anybody's: `__proto__` is one like any other. */
export function setEntry(map: object, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

function zeroOf(kind: ScalarKind | EnumKind): unknown {
  if (kind === 'string') return '';
  if (kind === 'bytes') return new Uint8Array();
  return kind === 'bool' ? false : 0;
}
