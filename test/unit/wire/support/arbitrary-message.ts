/** Any value that a message can have, made from protobuf's own descriptors. */

import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import fc from 'fast-check';

type Message = Record<string, unknown>;

const size = { maxLength: 4 };
/** `@bufbuild/protobuf` loses a byte order mark at the beginning. */
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => !value.startsWith('\ufeff'));
/** `@bufbuild/protobuf` loses an entry that is called `__proto__`. */
const key = text.filter((value) => value !== '__proto__');
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

/** JSON has the years from 1 to 9999. */
const timestamp = fc.record(
  {
    seconds: fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }),
    nanos: fc.oneof(fc.integer({ min: 0, max: 999_999_999 }), fc.constantFrom(1e6, 120e6, 5000)),
  },
  { requiredKeys: [] },
);

const scalars: Partial<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.STRING]: text,
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 40 }),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.UINT32]: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  [ScalarType.INT64]: fc.maxSafeInteger(),
};

/** A message in the shape of this package's: 64 bits are numbers. What is absent may be left out. */
export function arbitraryMessage(desc: DescMessage): fc.Arbitrary<Message> {
  if (desc.typeName === 'google.protobuf.Timestamp') return timestamp;
  const members = desc.members.map((member): [string, fc.Arbitrary<unknown>] =>
    member.kind === 'oneof'
      ? [
          member.localName,
          fc.oneof(
            fc.constant({ case: undefined }),
            ...member.fields.map((field) =>
              fc.record({ case: fc.constant(field.localName), value: one(field) }),
            ),
          ),
        ]
      : [member.localName, anyOf(member)],
  );
  return fc.record(Object.fromEntries(members), { requiredKeys: [] });
}

function anyOf(field: DescField): fc.Arbitrary<unknown> {
  if (field.fieldKind === 'list') return fc.array(one(field), size);
  if (field.fieldKind === 'map') return fc.dictionary(key, text, { maxKeys: 4 });
  return one(field);
}

function one(field: DescField): fc.Arbitrary<unknown> {
  if (field.message) return arbitraryMessage(field.message);
  if (field.enum) return fc.oneof(int32, fc.constantFrom(...field.enum.values.map(({ number }) => number)));
  const scalar = field.scalar && scalars[field.scalar];
  if (!scalar) throw new Error(`no values for ${field}`);
  return scalar;
}

/** The same for `@bufbuild/protobuf`, which has 64 bits as bigint. */
export function withBigInts(desc: DescMessage, message: Message): Message {
  const converted = Object.entries(message).map(([name, value]) => {
    const oneof = desc.oneofs.find(({ localName }) => localName === name);
    const set = value as { case?: string; value?: unknown };
    if (oneof) return [name, set.case ? { case: set.case, value: convert(set.case, set.value) } : set];
    return [name, convert(name, value)];
  });
  function convert(name: string, value: unknown): unknown {
    const field = desc.field[name];
    if (field?.scalar === ScalarType.INT64) return BigInt(value as number);
    const inner = field?.message;
    if (!inner || value === undefined) return value;
    return Array.isArray(value)
      ? value.map((entry) => withBigInts(inner, entry))
      : withBigInts(inner, value as Message);
  }
  return Object.fromEntries(converted);
}
