import {
  create,
  type DescMessage,
  fromBinary as referenceFrom,
  fromJsonString as referenceFromJson,
  toBinary as referenceTo,
  toJsonString,
} from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SandboxError } from '../../../src/errors.js';
import { fromBinary } from '../../../src/wire/codec/from-binary.js';
import { fromJson } from '../../../src/wire/codec/from-json.js';
import type { MessageType } from '../../../src/wire/codec/message-type.js';
import { toBinary } from '../../../src/wire/codec/to-binary.js';
import { toJson } from '../../../src/wire/codec/to-json.js';
import * as referenceFilesystem from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import * as referenceProcess from '../../../src/wire/gen/process/process_pb.js';
import * as filesystem from '../../../src/wire/messages/filesystem.js';
import * as process from '../../../src/wire/messages/process.js';
import { arbitraryMessage, withBigInts } from './support/arbitrary-message.js';

type AnyType = MessageType<Record<string, unknown>>;

const exported: unknown[] = [...Object.values(referenceFilesystem), ...Object.values(referenceProcess)];
const references = new Map(
  exported
    .filter((value): value is DescMessage => (value as { kind?: unknown }).kind === 'message')
    .map((desc) => [desc.typeName, desc]),
);
const types = [...Object.values(filesystem), ...Object.values(process)].filter(
  (value): value is AnyType => typeof value === 'object' && 'typeName' in value,
);
const pairs = types.map((type): [string, AnyType, DescMessage] => {
  const desc = references.get(type.typeName);
  if (!desc) throw new Error(`${type.typeName} is not in src/wire/gen`);
  return [type.typeName, type, desc];
});

test('there is a table for every message that a client needs', () => {
  const missing = [...references.keys()].filter((name) => !types.some(({ typeName }) => typeName === name));
  // Of StreamInput, which cannot be called over fetch.
  expect(missing.filter((name) => !name.startsWith('process.StreamInput'))).toEqual([]);
});

describe.each(pairs)('%s', (_name, type, desc) => {
  const messages = arbitraryMessage(desc);
  const reference = (message: Record<string, unknown>) => create(desc, withBigInts(desc, message) as never);

  test('is written as others read it', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(referenceFrom(desc, toBinary(type, message))).toEqual(reference(message));
      }),
    );
  });

  test('is read as others write it', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const bytes = referenceTo(desc, reference(message));
        const read = fromBinary(type, bytes);
        expect(reference(read)).toEqual(reference(message));
        // Whole: what is not there is there as zero.
        expect(toBinary(type, read)).toEqual(toBinary(type, fromBinary(type, toBinary(type, read))));
        expect(Object.keys(read)).toEqual(
          expect.arrayContaining(Object.keys(fromBinary(type, new Uint8Array()))),
        );
      }),
    );
  });

  test('is read with fields that nobody knows, in any order, and in parts', () => {
    fc.assert(
      fc.property(
        fc.array(messages, { minLength: 1, maxLength: 3 }),
        unknownFields,
        fc.integer(),
        (parts, unknown, seed) => {
          const fields = parts.flatMap((part) => fieldsOf(referenceTo(desc, reference(part))));
          const bytes = concat(shuffled([...fields, ...unknown], seed));
          expect(reference(fromBinary(type, bytes))).toEqual(
            referenceFrom(desc, bytes, { readUnknownFields: false }),
          );
        },
      ),
    );
  });

  test('is written as JSON that others read, and read as JSON that others write', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const made = reference(message);
        const json = JSON.stringify(toJson(type, fromBinary(type, toBinary(type, message))));
        expect(referenceFromJson(desc, json)).toEqual(made);
        expect(JSON.parse(json)).toEqual(JSON.parse(toJsonString(desc, made)));
        expect(reference(fromJson(type, JSON.parse(toJsonString(desc, made))))).toEqual(made);
        const snake = toJsonString(desc, made, { useProtoFieldName: true, enumAsInteger: true });
        expect(reference(fromJson(type, JSON.parse(snake)))).toEqual(made);
      }),
    );
  });

  test('is not read from anything else: bytes are a message, or one error', () => {
    fc.assert(
      fc.property(mutated(messages.map((message) => toBinary(type, message))), (bytes) => {
        try {
          fromBinary(type, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(SandboxError);
          expect(error).toMatchObject({
            code: 'protocol_error',
            message: expect.stringContaining(type.typeName),
          });
        }
      }),
    );
  });
});

test('a name that begins with a byte order mark keeps it', () => {
  const entry = { name: '\ufeffnotes.txt' };
  const read = fromBinary(filesystem.EntryInfo, toBinary(filesystem.EntryInfo, entry));
  expect(read.name).toBe(entry.name);
});

test('a text that is not UTF-8 is an error, not another text', () => {
  const bytes = new BinaryWriter().tag(1, 2).bytes(Uint8Array.of(0x66, 0xff)).finish();
  expect(() => fromBinary(filesystem.EntryInfo, bytes)).toThrow(SandboxError);
});

describe('a message to be sent', () => {
  const selector = (value: unknown) =>
    ({ process: { selector: { case: 'pid', value } } }) as Parameters<
      typeof toBinary<process.ConnectRequest>
    >[1];

  test.each([[-1], [1.5], [2 ** 32], [Number.NaN], ['7'], [null], [undefined], [7n]])(
    'is refused by the name of a field whose value is wrong: pid %s',
    (value) => {
      expect(() => toBinary(process.ConnectRequest, selector(value))).toThrow(
        expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining('pid') }),
      );
    },
  );

  test.each([
    ['cmd', { cmd: 7 }],
    ['args', { args: 'ls' }],
    ['args', { args: [undefined] }],
    ['value', { envs: { A: 1 } }],
    ['cwd', { cwd: null }],
  ])('is refused by the name of a field of another type: %s of %j', (name, wrong) => {
    expect(() => toBinary(process.StartRequest, { process: wrong as never })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(name) }),
    );
  });

  test('says an optional zero, and no other', () => {
    expect(toBinary(process.StartRequest, { stdin: false })).toEqual(Uint8Array.of(0x20, 0));
    expect(toBinary(filesystem.WatchDirRequest, { path: '', recursive: false })).toHaveLength(0);
  });
});

describe('a message that came', () => {
  test('has bytes that are a view of what was read', () => {
    const bytes = toBinary(process.ProcessInput, { input: { case: 'stdin', value: new Uint8Array(9) } });
    const { input } = fromBinary(process.ProcessInput, bytes);
    expect((input.value as Uint8Array).buffer).toBe(bytes.buffer);
  });

  test('has a map with any keys', () => {
    const envs = JSON.parse('{"__proto__":"a","constructor":"b"}');
    const read = fromBinary(process.ProcessConfig, toBinary(process.ProcessConfig, { envs }));
    expect(Object.entries(read.envs)).toEqual(Object.entries(envs));
    expect(Object.getPrototypeOf(read.envs)).toBe(Object.prototype);
  });

  test('keeps a number that has no name', () => {
    const bytes = toBinary(filesystem.EntryInfo, { type: 77 });
    expect(fromBinary(filesystem.EntryInfo, bytes).type).toBe(77);
  });

  test('is refused where a field goes beyond the message that it is in', () => {
    // An event of two bytes, of which the `start` in it wants two more.
    const bytes = Uint8Array.of(0x0a, 2, 0x0a, 2, 0x08, 7);
    expect(() => fromBinary(process.StartResponse, bytes)).toThrow(
      expect.objectContaining({ code: 'protocol_error' }),
    );
  });

  test('skips a known number of another wire type', () => {
    // `pid` as text.
    const bytes = new BinaryWriter().tag(1, 2).string('seven').finish();
    expect(fromBinary(process.ProcessEvent_StartEvent, bytes)).toEqual({ pid: 0 });
  });
});

describe('JSON', () => {
  test.each([
    ['two members of a group', process.ProcessSelector, { pid: 7, tag: 'x' }],
    ['one field in two spellings', filesystem.GetWatcherEventsRequest, { watcherId: 'a', watcher_id: 'b' }],
    ['a number beyond its range', process.ProcessSelector, { pid: 2 ** 32 }],
    ['a number that is no number', process.ProcessSelector, { pid: '0x10' }],
    ['a number that is not whole', process.ProcessSelector, { pid: 1.5 }],
    ['text for a truth', process.StartRequest, { stdin: 'true' }],
    ['a name that an enum does not have', process.SendSignalRequest, { signal: 'SIGNAL_SIGHUP' }],
    ['one value for a list', process.ProcessConfig, { args: 'ls' }],
    ['a list for an object', process.StartRequest, { process: [] }],
    ['what is not base64', process.ProcessInput, { stdin: '*' }],
    ['a date without a time', filesystem.EntryInfo, { modifiedTime: '2026-01-01' }],
    ['a message that is none', process.StartRequest, 7],
  ] as [string, AnyType, unknown][])('of %s is refused', (_what, type, json) => {
    expect(() => fromJson(type, json)).toThrow();
  });

  test('may have fields that nobody knows, and null for those that are not there', () => {
    const json = { cmd: 'ls', shell: { deep: [1] }, cwd: null, args: null };
    expect(fromJson(process.ProcessConfig, json)).toEqual({ cmd: 'ls', args: [], envs: {} });
  });

  test('has no time of a year with five digits', () => {
    const modifiedTime = { seconds: 253_402_300_800, nanos: 0 };
    const entry = { ...fromBinary(filesystem.EntryInfo, new Uint8Array()), modifiedTime };
    expect(() => toJson(filesystem.EntryInfo, entry)).toThrow(RangeError);
  });
});

/** Above all numbers that are in use. */
const unknownFields = fc.array(
  fc
    .tuple(fc.integer({ min: 100, max: 2 ** 29 - 1 }), fc.uint8Array({ maxLength: 9 }), fc.nat(3))
    .map(([number, bytes, kind]) => {
      const writer = new BinaryWriter();
      if (kind === 0) return writer.tag(number, 0).uint32(bytes.length).finish();
      if (kind === 1) return writer.tag(number, 1).fixed64(5).finish();
      if (kind === 2) return writer.tag(number, 5).fixed32(5).finish();
      return writer.tag(number, 2).bytes(bytes).finish();
    }),
  { maxLength: 4 },
);

/** A message with some bytes changed, cut out or put in; or just bytes. */
function mutated(messages: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const changed = fc.tuple(messages, fc.nat(), fc.nat(3), fc.uint8Array({ maxLength: 6 }));
  return fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    changed.map(([bytes, place, cut, put]) => {
      const at = place % (bytes.length + 1);
      return concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
    }),
  );
}

function fieldsOf(bytes: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const fields: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    reader.skip(wireType, number);
    fields.push(bytes.slice(start, reader.pos));
  }
  return fields;
}

function shuffled<T>(values: readonly T[], seed: number): T[] {
  return values
    .map((value, index) => ({ value, key: Math.imul(index + 1, seed | 1) >>> 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
