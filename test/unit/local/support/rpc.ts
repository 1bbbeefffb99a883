import type { LocalServer } from '../../../../src/local/local-server.js';
import { type Created, envdHeaders } from './server.js';

/** The Connect protocol by hand, in JSON, so that no client library hides what is on the wire. */
export interface RpcOptions {
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever JSON the server answers
type Json = any;

export async function unary(
  server: LocalServer,
  sandbox: Created,
  method: string,
  message: unknown,
  options: RpcOptions = {},
): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${server.sandboxUrl}/${method}`, {
    method: 'POST',
    headers: { ...envdHeaders(sandbox), 'content-type': 'application/json', ...options.headers },
    body: JSON.stringify(message),
    ...(options.signal && { signal: options.signal }),
  });
  return { status: response.status, body: await response.json() };
}

export function envelope(message: unknown): Uint8Array<ArrayBuffer> {
  const payload = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(5 + payload.length);
  new DataView(bytes.buffer).setUint32(1, payload.length);
  bytes.set(payload, 5);
  return bytes;
}

/** A stream's messages as they come, and how it ended. */
export interface RpcStream {
  /** The next message; `undefined` at the end-of-stream envelope. */
  next(): Promise<Json | undefined>;
  /** All that is left. */
  rest(): Promise<Json[]>;
  /** The end-of-stream envelope, once it has come. */
  readonly end: Json | undefined;
  close(): void;
}

export async function stream(
  server: LocalServer,
  sandbox: Created,
  method: string,
  message: unknown,
  options: RpcOptions = {},
): Promise<RpcStream> {
  const controller = new AbortController();
  const response = await fetch(`${server.sandboxUrl}/${method}`, {
    method: 'POST',
    headers: { ...envdHeaders(sandbox), 'content-type': 'application/connect+json', ...options.headers },
    body: envelope(message),
    signal: controller.signal,
  });
  if (response.status !== 200) throw new Error(`${method}: ${response.status} ${await response.text()}`);
  const reader = response.body!.getReader();
  let buffer = Buffer.alloc(0);
  let end: Json;
  async function take(length: number): Promise<Buffer> {
    while (buffer.length < length) {
      const { done, value } = await reader.read();
      if (done) throw new Error('stream ended without an end-of-stream envelope');
      buffer = Buffer.concat([buffer, value]);
    }
    const piece = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    return piece;
  }
  const next = async (): Promise<Json | undefined> => {
    if (end) return undefined;
    const head = await take(5);
    const payload = JSON.parse((await take(head.readUInt32BE(1))).toString('utf8'));
    if ((head[0]! & 2) === 0) return payload;
    end = payload;
    return undefined;
  };
  return {
    next,
    async rest() {
      const all: Json[] = [];
      for (let one = await next(); one !== undefined; one = await next()) all.push(one);
      return all;
    },
    get end() {
      return end;
    },
    close: () => controller.abort(),
  };
}

/** Starts a process and reads its stream to the end. */
export async function run(
  server: LocalServer,
  sandbox: Created,
  request: unknown,
  options: RpcOptions = {},
): Promise<{ pid: number; stdout: string; stderr: string; pty: string; end: Json; streamEnd: Json }> {
  const events = await stream(server, sandbox, 'process.Process/Start', request, options);
  const messages = await events.rest();
  const text = (kind: string): string =>
    Buffer.concat(messages.map(({ event }) => Buffer.from(event.data?.[kind] ?? '', 'base64'))).toString(
      'utf8',
    );
  return {
    pid: messages[0]?.event.start?.pid,
    stdout: text('stdout'),
    stderr: text('stderr'),
    pty: text('pty'),
    end: messages.find(({ event }) => event.end)?.event.end,
    streamEnd: events.end,
  };
}

/** The request that runs a shell command without stdin. */
export function sh(command: string, fields: Record<string, unknown> = {}): unknown {
  return { process: { cmd: '/bin/sh', args: ['-c', command], ...fields }, stdin: false };
}
