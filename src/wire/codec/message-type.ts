/** How a message is made up, as a table: protobuf's own descriptors and what reads them are two thirds of a page's bundle. */

/** A message: its fields by their numbers. The tables in `messages/` are generated from `proto/`. */
export interface MessageType<T> {
  /** With its package, as in `process.StartRequest`. */
  readonly typeName: string;
  readonly fields: Readonly<Record<number, Field>>;
  /** Not there: it ties the table to what it describes, for the compiler. */
  readonly shape?: T;
}

export interface Field {
  /** Of the property, and in JSON. */
  readonly name: string;
  readonly kind: ScalarKind | EnumKind | MessageType<unknown>;
  /** `optional`: absent is another thing than zero, as it always is with a message. */
  readonly label?: 'optional' | 'repeated' | 'map';
  /** The group of which one field at most is set, as `{ case, value }`. */
  readonly oneof?: string;
}

/** The kinds of values that envd's messages have, by the names of the methods that read and write them. */
export type ScalarKind = 'string' | 'bytes' | 'bool' | 'int32' | 'sint32' | 'uint32' | 'int64';

/** A number that has a name in JSON: the prefix, and the key of the value. */
export interface EnumKind {
  readonly prefix: string;
  readonly values: Readonly<Record<string, number>>;
}

/** A call of a service. */
export interface Method<I, O, Kind extends 'unary' | 'server_streaming'> {
  readonly kind: Kind;
  /** As in `process.Process/Start`. */
  readonly path: string;
  readonly input: MessageType<I>;
  readonly output: MessageType<O>;
}

/** One answer. */
export type UnaryMethod<I, O> = Method<I, O, 'unary'>;

/** A stream of answers. */
export type StreamMethod<I, O> = Method<I, O, 'server_streaming'>;

/** A message to be sent: what is left out is zero, or absent. */
export type MessageInit<T> = unknown extends T
  ? T
  : T extends string | number | boolean | Uint8Array | undefined
    ? T
    : T extends readonly (infer Entry)[]
      ? readonly MessageInit<Entry>[]
      : T extends { case: infer Case; value: infer Value }
        ? { case: Case; value: MessageInit<Value> }
        : { [Name in keyof T]?: MessageInit<T[Name]> | undefined };
