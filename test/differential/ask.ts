import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { type DescMethod, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import { Filesystem } from '../../src/wire/gen/filesystem/filesystem_pb.js';
import { Process } from '../../src/wire/gen/process/process_pb.js';
import type { Call } from './calls.js';

/** One of the two servers. */
export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything of an answer that a client could notice, before it is made comparable. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** JSON, or text, or the messages of a stream. */
  readonly body: unknown;
}

const rootUser = { authorization: `Basic ${Buffer.from('root:').toString('base64')}` };
const limitMs = 20_000;

export async function ask(target: Target, call: Call): Promise<Answer> {
  if (call.kind === 'conversation') return converse(target, call);
  if (call.kind === 'rpc') return askRpc(target, call);
  const body = call.body === undefined ? undefined : Buffer.from(call.body, 'base64');
  const { status, headers, bytes } = await send(target, call.method, call.path, call.headers, body);
  return { status, headers, body: readBody(headers, bytes) };
}

async function askRpc(target: Target, call: Extract<Call, { kind: 'rpc' }>): Promise<Answer> {
  const method = methodOf(call.service, call.method);
  const payload =
    call.codec === 'json'
      ? Buffer.from(JSON.stringify(call.message))
      : toBinary(method.input, fromJson(method.input, call.message));
  const streaming = method.methodKind !== 'unary';
  const { status, headers, bytes } = await send(
    target,
    'POST',
    `/${call.service}/${call.method}`,
    {
      'content-type': `application/${streaming ? 'connect+' : ''}${call.codec}`,
      ...rootUser,
      ...call.headers,
    },
    streaming ? envelope(payload) : payload,
  );
  const decode = (message: Uint8Array): JsonValue =>
    call.codec === 'json'
      ? toJson(method.output, fromJson(method.output, JSON.parse(Buffer.from(message).toString('utf8'))))
      : toJson(method.output, fromBinary(method.output, message));
  if (streaming && status === 200) return { status, headers, body: envelopes(bytes, decode) };
  return { status, headers, body: status === 200 ? decode(bytes) : readBody(headers, bytes) };
}

/** Starts a program, writes to it, closes its input, and takes what it says. */
async function converse(target: Target, call: Extract<Call, { kind: 'conversation' }>): Promise<Answer> {
  const [cmd, ...args] = call.command;
  let started!: (pid: number) => void;
  const pid = new Promise<number>((resolve) => {
    started = resolve;
  });
  const rpc = (method: string, message: JsonValue): Promise<Answer> =>
    askRpc(target, {
      kind: 'rpc',
      service: 'process.Process',
      method,
      codec: call.codec,
      message: message as never,
      headers: {},
    });
  const start = Buffer.from(JSON.stringify({ process: { cmd, args } }));
  const whole = send(
    target,
    'POST',
    '/process.Process/Start',
    { 'content-type': 'application/connect+json', ...rootUser },
    envelope(start),
    (bytes) => {
      const found = /"pid":\s*(\d+)/.exec(bytes.toString('latin1'))?.[1];
      if (found) started(Number(found));
    },
  );
  const process = { pid: await pid };
  for (const stdin of call.inputs) await rpc('SendInput', { process, input: { stdin } });
  const closed = await rpc('CloseStdin', { process });
  const { status, headers, bytes } = await whole;
  const messages = envelopes(bytes, (message) => JSON.parse(Buffer.from(message).toString('utf8')));
  return { status, headers, body: { closed: closed.status, messages } };
}

function methodOf(service: string, name: string): DescMethod {
  const methods: readonly DescMethod[] = (service === Process.typeName ? Process : Filesystem).methods;
  return methods.find((method) => method.name === name)!;
}

function envelope(payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

function envelopes(bytes: Buffer, decode: (message: Uint8Array) => unknown): unknown[] {
  const messages: unknown[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const flags = bytes[at]!;
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    const message = bytes.subarray(at + 5, end);
    messages.push(
      (flags & 2) !== 0 ? { endOfStream: JSON.parse(message.toString('utf8')) } : decode(message),
    );
    at = end;
  }
  return messages;
}

function readBody(headers: IncomingHttpHeaders, bytes: Buffer): unknown {
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/connect+')) {
    return envelopes(bytes, (message) => Buffer.from(message).toString('latin1'));
  }
  // Owners and times are in it; what the calls that are understood answer is compared field by field.
  if (type === 'application/proto') return { text: 'a message' };
  const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
  try {
    return { json: JSON.parse(plain.toString('utf8')) };
  } catch {
    return { text: plain.toString('latin1') };
  }
}

function send(
  target: Target,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | undefined,
  onData?: (soFar: Buffer) => void,
): Promise<{ status: number; headers: IncomingHttpHeaders; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      target.url + path,
      {
        method,
        agent: false,
        headers: { ...target.headers, ...headers, ...(body && { 'content-length': body.length }) },
      },
      (response) => {
        let bytes = Buffer.alloc(0);
        response.on('data', (chunk: Buffer) => {
          bytes = Buffer.concat([bytes, chunk]);
          onData?.(bytes);
        });
        response.once('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, bytes }),
        );
        response.once('error', reject);
      },
    );
    request.setTimeout(limitMs, () => request.destroy(new Error(`no answer within ${limitMs} ms`)));
    request.once('error', reject);
    request.end(body);
  });
}
