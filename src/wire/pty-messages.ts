/** The JSON payloads of the terminal protocol's control frames, checked field by field. */

import { encodeFrame, type FrameType, protocolError } from './pty-frame.js';

/** What a new terminal is to be started with; its size is the HELLO's. */
export interface HelloCreate {
  /** The same for each attempt of one client to create one terminal. */
  createKey: string;
  user?: string;
  cwd?: string;
  envs?: Record<string, string>;
  timeoutMs?: number;
  /** Whether the output is kept in the sandbox; `auto`: where the sandbox can. */
  durable?: boolean | 'auto';
  /** How much of it is kept, in bytes. */
  maxLogBytes?: number;
}

export interface Hello {
  token: string;
  /** One a page context. */
  clientId: string;
  /** The process id of a running terminal; or else `create`. */
  pty?: number;
  create?: HelloCreate;
  /** The epoch that `have` counts in; absent on the first attempt. */
  epoch?: string;
  /** Output below it was received. */
  have: number;
  /** Output below it was taken in, so that the window counts from there. */
  acked: number;
  /** How many bytes of output the relay may send beyond the acknowledged ones. */
  window: number;
  mode: 'read' | 'write';
  cols: number;
  rows: number;
}

export interface Welcome {
  pty: number;
  epoch: string;
  /** The offset of the first byte of output that will come. */
  from: number;
  /** How far the output has come by now. */
  head: number;
  /** Input below it was accepted, above it not; null when the relay cannot know. */
  inputHave: number | null;
  mode: 'read' | 'write';
  /** Why the client is a viewer; see {@link Mode}. */
  reason?: string;
  /** The size in force at `from`. */
  size: { cols: number; rows: number };
  /** Whether the output outlives the relay. */
  durable: boolean;
}

/** Who may type: the writer, or a viewer, who may not. */
export interface Mode {
  mode: 'read' | 'write';
  /** Of the relay, why a client is a viewer: `taken_over` by another window, or `read_only`, as its session is. */
  reason?: string;
}

export interface Gap {
  from: number;
  to: number | null;
  reason: string;
}

export interface Exit {
  exitCode: number;
  status: string;
  error?: string;
  /** When, in milliseconds since 1970 by the clock of the relay. */
  at: number;
}

/** Why a relay closes. */
export interface Refusal {
  code: string;
  message: string;
  retryable: boolean;
  retryAfterMs?: number;
}

/** The end of a range of input that starts at the frame's offset. */
export interface LostInput {
  to: number;
  reason: string;
}

type Fields = Record<string, unknown>;

const maxTokenLength = 16_384;

/** A control frame: JSON in UTF-8. */
export function encodeJson(type: FrameType, offset: number, payload: object): Uint8Array {
  return encodeFrame(type, offset, new TextEncoder().encode(JSON.stringify(payload)));
}

/** @throws {SandboxError} code `protocol_error`, as all of these; it never shows a value, which may be a token. */
export function parseHello(payload: Uint8Array): Hello {
  const fields = parse(payload, 'HELLO');
  const hello: Hello = {
    token: text(fields, 'token', maxTokenLength),
    clientId: text(fields, 'clientId', 128),
    have: count(fields, 'have'),
    acked: count(fields, 'acked'),
    window: count(fields, 'window'),
    mode: mode(fields),
    ...parseSize(fields),
  };
  if (fields.epoch !== undefined) hello.epoch = text(fields, 'epoch', 128);
  if (fields.pty !== undefined) hello.pty = positive(fields, 'pty');
  if (fields.create !== undefined) hello.create = parseCreate(record(fields.create, '"create"'));
  if ((hello.pty === undefined) === (hello.create === undefined)) {
    throw protocolError('HELLO names either "pty" or "create"');
  }
  return hello;
}

function parseCreate(fields: Fields): HelloCreate {
  const create: HelloCreate = { createKey: text(fields, 'createKey', 128) };
  if (fields.user !== undefined) create.user = text(fields, 'user', 256);
  if (fields.cwd !== undefined) create.cwd = text(fields, 'cwd', 4096);
  if (fields.timeoutMs !== undefined) create.timeoutMs = count(fields, 'timeoutMs');
  if (fields.durable !== undefined) create.durable = durable(fields);
  if (fields.maxLogBytes !== undefined) create.maxLogBytes = positive(fields, 'maxLogBytes');
  if (fields.envs !== undefined) {
    const envs = record(fields.envs, '"envs"');
    if (!Object.values(envs).every((value) => typeof value === 'string')) {
      throw protocolError('"envs" holds something that is not a text');
    }
    create.envs = envs as Record<string, string>;
  }
  return create;
}

function durable({ durable: value }: Fields): boolean | 'auto' {
  if (value === 'auto' || typeof value === 'boolean') return value;
  throw protocolError('"durable" is neither a boolean nor "auto"');
}

/** The new token of a REFRESH. */
export function parseRefresh(payload: Uint8Array): string {
  return text(parse(payload, 'REFRESH'), 'token', maxTokenLength);
}

export function parseWelcome(payload: Uint8Array): Welcome {
  const fields = parse(payload, 'WELCOME');
  return {
    pty: positive(fields, 'pty'),
    epoch: text(fields, 'epoch', 128),
    from: count(fields, 'from'),
    head: count(fields, 'head'),
    inputHave: fields.inputHave === null ? null : count(fields, 'inputHave'),
    ...modeOf(fields),
    size: parseSize(record(fields.size, '"size"')),
    durable: fields.durable === true,
  };
}

export function parseMode(payload: Uint8Array): Mode {
  return modeOf(parse(payload, 'MODE'));
}

export function parseResize(payload: Uint8Array): { cols: number; rows: number } {
  return parseSize(parse(payload, 'RESIZE'));
}

export function parseSizeInForce(payload: Uint8Array): { cols: number; rows: number } {
  return parseSize(parse(payload, 'SIZE'));
}

export function parseGap(payload: Uint8Array): Gap {
  const fields = parse(payload, 'GAP');
  return {
    from: count(fields, 'from'),
    to: fields.to === null ? null : count(fields, 'to'),
    reason: text(fields, 'reason', 4096),
  };
}

export function parseExit(payload: Uint8Array): Exit {
  const fields = parse(payload, 'EXIT');
  if (!Number.isInteger(fields.exitCode)) throw protocolError('"exitCode" is not an integer');
  const exit: Exit = {
    exitCode: fields.exitCode as number,
    status: text(fields, 'status', 4096),
    at: count(fields, 'at'),
  };
  if (fields.error !== undefined) exit.error = text(fields, 'error', 4096);
  return exit;
}

export function parseRefusal(payload: Uint8Array): Refusal {
  const fields = parse(payload, 'ERROR');
  const refusal: Refusal = {
    code: text(fields, 'code', 128),
    message: text(fields, 'message', 16_384),
    retryable: fields.retryable === true,
  };
  if (fields.retryAfterMs !== undefined) refusal.retryAfterMs = count(fields, 'retryAfterMs');
  return refusal;
}

export function parseLostInput(payload: Uint8Array): LostInput {
  const fields = parse(payload, 'the report of lost input');
  return { to: count(fields, 'to'), reason: text(fields, 'reason', 4096) };
}

function parse(payload: Uint8Array, what: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw protocolError(`${what} is not JSON`);
  }
  return record(value, what);
}

function record(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw protocolError(`${what} is not an object`);
  }
  return value as Fields;
}

function text(fields: Fields, key: string, most: number): string {
  const value = fields[key];
  if (typeof value !== 'string' || value === '' || value.length > most) {
    throw protocolError(`"${key}" is not a text of 1 to ${most} characters`);
  }
  return value;
}

function count(fields: Fields, key: string): number {
  const value = fields[key];
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw protocolError(`"${key}" is not a count`);
  return value as number;
}

function positive(fields: Fields, key: string): number {
  const value = count(fields, key);
  if (value === 0) throw protocolError(`"${key}" is 0`);
  return value;
}

function mode(fields: Fields): 'read' | 'write' {
  if (fields.mode !== 'read' && fields.mode !== 'write')
    throw protocolError('"mode" is not "read" or "write"');
  return fields.mode;
}

function modeOf(fields: Fields): Mode {
  return {
    mode: mode(fields),
    ...(fields.reason !== undefined && { reason: text(fields, 'reason', 128) }),
  };
}

function parseSize(fields: Fields): { cols: number; rows: number } {
  return { cols: side(fields, 'cols'), rows: side(fields, 'rows') };
}

// The kernel keeps a terminal's size in 16 bits a side; 0 is "not known" to programs.
function side(fields: Fields, key: string): number {
  const value = positive(fields, key);
  if (value > 0xffff) throw protocolError(`"${key}" is beyond 65535`);
  return value;
}
